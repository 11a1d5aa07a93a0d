"""`./pants run tests/soak`: a day in the life of a world, in an hour or as long as you like."""

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
    """Run a day; returns the exit status: 0 if all objectives are met, 1 if not."""
    parser = argparse.ArgumentParser(
        prog="./pants run tests/soak --",
        description="Runs two sims, three workers, an API, a viz and a bot each, as processes; players order and follow each order to its"
        " outcome, spectators watch, and faults come as in tests/faults: of all kinds in the first half, then of those that end no process."
        " In the end no order may be lost, memory must be flat, and latency outside of faults within bounds.",
    )
    parser.add_argument("--minutes", type=float, default=60.0, metavar="M", help="how long (default: %(default)g)")
    parser.add_argument("--players", type=int, default=200, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--spectators", type=int, default=200, metavar="N", help="(default: %(default)s)")
    parser.add_argument(
        "--every", type=float, default=20.0, metavar="S", help="seconds between faults (default: %(default)g)"
    )
    parser.add_argument("--think", type=float, default=3.0, metavar="S", help="seconds between two orders of a player")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the schedule (default: %(default)s)")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write latency and memory over time, as SVG")
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
