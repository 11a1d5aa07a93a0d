"""`./pants run tests/soak`: runs a world under load and faults for an hour, or as long as you like."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from soak.plots import picture
from soak.soak_run import run_day


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a soak test; returns the exit status: 0 if all objectives are met, 1 if not."""
    parser = argparse.ArgumentParser(
        prog="./pants run tests/soak --",
        description="Runs two sims, three workers, an API, a viz and a bot each, as processes. Players send orders and poll their outcomes,"
        " spectators watch, and faults occur as in tests/faults: all kinds in the first half, then only those that end no process."
        " At the end no order may be lost, memory must not grow, and latency outside of faults must meet its objectives.",
        epilog="example: ./pants run tests/soak -- --minutes 10 --plot soak.svg",
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=60.0,
        metavar="M",
        help="duration in minutes, 0.2 to 1440 (default: %(default)g)",
    )
    parser.add_argument(
        "--players", type=int, default=200, metavar="N", help="number of players (default: %(default)s)"
    )
    parser.add_argument(
        "--spectators", type=int, default=200, metavar="N", help="number of spectators (default: %(default)s)"
    )
    parser.add_argument(
        "--every", type=float, default=20.0, metavar="S", help="seconds between faults (default: %(default)g)"
    )
    parser.add_argument(
        "--think",
        type=float,
        default=3.0,
        metavar="S",
        help="seconds between two orders of a player (default: %(default)g)",
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="seed of the schedule (default: %(default)s)")
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="write latency and memory over time, as SVG (default: no plot)"
    )
    given = parser.parse_args(arguments)
    if not 0.2 <= given.minutes <= 24 * 60:
        parser.error(f"--minutes {given.minutes:g} must be from 0.2 to 1440")
    if given.plot and not given.plot.resolve().parent.is_dir():
        parser.error(f"--plot {given.plot}: there is no folder {given.plot.parent}")
    total = round(given.minutes * 60)
    with tempfile.TemporaryDirectory() as directory, tqdm(total=total, unit="s", disable=None) as bar:

        def progress(at_s: float, what: str) -> None:
            bar.update(min(round(at_s), total) - bar.n)
            bar.set_postfix_str(what, refresh=False)

        report = asyncio.run(
            run_day(
                total,
                Path(directory),
                players=given.players,
                spectators=given.spectators,
                seed=given.seed,
                every_s=given.every,
                think_s=given.think,
                progress=progress,
            )
        )
    print(report.text())
    if given.plot:
        given.plot.write_text(picture(report))
    return 0 if report.holds else 1


if __name__ == "__main__":
    sys.exit(main())
