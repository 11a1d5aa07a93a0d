"""`./pants run tests/faults`: breaks a world of processes for as long as you like, and says whether it kept its promises."""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from chaos import trial
from chaos.report import Report
from chaos.schedule import KINDS, Fault
from chaos.system import LEASE_S, TICK_S


def main(arguments: Sequence[str] | None = None) -> int:
    """Run trials; returns the exit status: 0 if every promise was kept, 1 if not, 2 if nothing was run."""
    given = _parser().parse_args(arguments)
    wanted = tuple(given.faults.split(",")) if given.faults else ()
    if unknown := [kind for kind in wanted if not any(kind in kinds for kinds in KINDS.values())]:
        kind_names = sorted({kind for kinds in KINDS.values() for kind in kinds})
        print(f"faults: there is no fault {unknown[0]!r}; there are {', '.join(kind_names)}", file=sys.stderr)
        return 2
    names = given.redis or list(KINDS)
    reports: list[Report] = []
    for number, name in enumerate(names):
        kinds = [kind for kind in KINDS[name] if not wanted or kind in wanted]
        if not kinds:
            print(f"faults: none of these can be done where Redis is {name}; it is left out", file=sys.stderr)
        else:
            reports.append(_run(name, given.minutes * 60 / len(names), given.seed + number, kinds, given))
            print(reports[-1].text(), flush=True)
    if given.json:
        given.json.write_text(json.dumps([asdict(report) for report in reports], indent=1))
    if not reports:
        return 2
    return 0 if all(report.holds for report in reports) else 1


def _run(name: str, seconds: float, seed: int, kinds: Sequence[str], given: argparse.Namespace) -> Report:
    total = round(seconds)
    # disable=None: the bar is for a terminal.
    with _directory(given.logs, name) as directory, tqdm(total=total, unit="s", desc=name, disable=None) as bar:

        def progress(at_s: float, fault: Fault) -> None:
            bar.update(min(round(at_s), total) - bar.n)
            bar.set_postfix_str(fault.kind, refresh=False)

        running = trial.run(
            name,
            seconds,
            seed,
            directory,
            kinds=kinds,
            every_s=given.every,
            tick_s=given.tick,
            lease_s=given.lease,
            progress=progress,
        )
        return asyncio.run(running)


@contextmanager
def _directory(logs: Path | None, name: str) -> Iterator[Path]:
    """A folder for what the processes write: one that stays, or one that goes."""
    if logs is not None:
        (logs / name).mkdir(parents=True)
        yield logs / name
        return
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./pants run tests/faults --",
        description="Runs two sims, three workers and an API each, as processes; players order over HTTP while processes are killed"
        " and paused, connections cut, delayed and half-open, and Redis restarted, failed over and resharded. Afterwards a"
        " checker reads the whole history: every acknowledged order applied or rejected once and in order, every tick committed once.",
        epilog="The same seed gives the same schedule of faults. Exit status: 0 if every promise was kept, 1 if not, 2 if nothing was run.",
    )
    parser.add_argument(
        "--minutes", type=_minutes, default=3.0, help="how long in all (default: %(default)g)", metavar="M"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the schedule (default: %(default)s)", metavar="N")
    parser.add_argument(
        "--redis", action="append", choices=list(KINDS), help="what Redis is; may be repeated (default: each in turn)"
    )
    parser.add_argument(
        "--every",
        type=_seconds,
        default=1.0,
        metavar="S",
        help="seconds between faults, on average (default: %(default)g)",
    )
    parser.add_argument(
        "--tick", type=_seconds, default=TICK_S, metavar="S", help="seconds from tick to tick (default: %(default)g)"
    )
    parser.add_argument(
        "--lease", type=_seconds, default=LEASE_S, metavar="S", help="seconds that a lease lasts (default: %(default)g)"
    )
    parser.add_argument("--faults", metavar="KIND,KIND", help="only these, such as 'worker killed,worker terminated'")
    parser.add_argument(
        "--logs", type=Path, metavar="DIR", help="keep what every process said, in this folder, which is new"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the reports to a file as well")
    return parser


def _minutes(text: str) -> float:
    minutes = float(text)
    if not 0.1 <= minutes <= 24 * 60:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes from 0.1 to 1440")
    return minutes


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0.1 to 3600")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
