"""`./pants run tests/faults`: injects faults into a world of processes, and checks every promise afterwards."""

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
    """Run trials; returns the exit status: 0 if every guarantee held, 1 if not, 2 if nothing ran."""
    given = _parser().parse_args(arguments)
    wanted = tuple(given.faults.split(",")) if given.faults else ()
    if unknown := [kind for kind in wanted if not any(kind in kinds for kinds in KINDS.values())]:
        kind_names = sorted({kind for kinds in KINDS.values() for kind in kinds})
        print(f"faults: unknown fault {unknown[0]!r}; the kinds are {', '.join(kind_names)}", file=sys.stderr)
        return 2
    names = given.redis or list(KINDS)
    reports: list[Report] = []
    for number, name in enumerate(names):
        kinds = [kind for kind in KINDS[name] if not wanted or kind in wanted]
        if not kinds:
            print(f"faults: none of these kinds applies to Redis as {name}, so it is skipped", file=sys.stderr)
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
    """Yield a folder for the logs of the processes: `logs`, or a temporary one."""
    if logs is not None:
        (logs / name).mkdir(parents=True)
        yield logs / name
        return
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./pants run tests/faults --",
        description="Runs two sims, three workers and an API each, as processes. Players send orders over HTTP while processes are killed"
        " and paused, connections are cut and delayed, and Redis is restarted, failed over and resharded. Afterwards a checker reads"
        " the full history: each acknowledged order is applied or rejected once and in order, and each tick is committed once.",
        epilog="example: ./pants run tests/faults -- --minutes 10 --redis cluster --seed 7. Equal seeds give equal schedules."
        " Exit status: 0 if every guarantee held, 1 if not, 2 if nothing ran.",
    )
    parser.add_argument(
        "--minutes", type=_minutes, default=3.0, help="total duration in minutes (default: %(default)g)", metavar="M"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the schedule (default: %(default)s)", metavar="N")
    parser.add_argument(
        "--redis", action="append", choices=list(KINDS), help="topology of Redis, repeatable (default: each in turn)"
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
        "--lease",
        type=_seconds,
        default=LEASE_S,
        metavar="S",
        help="seconds until a lease expires (default: %(default)g)",
    )
    parser.add_argument(
        "--faults",
        metavar="KIND,KIND",
        help="only these kinds, such as 'worker killed,worker terminated' (default: all)",
    )
    parser.add_argument(
        "--logs", type=Path, metavar="DIR", help="new folder for the logs of all processes (default: logs are deleted)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the reports to a file (default: none)")
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
