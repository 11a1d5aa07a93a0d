"""`./pants run tests/bench`: measures the promised figures, each as a ratio to a baseline in the same run."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from bench import api, build, first, growth, images, observed, viz, worker, world
from bench.compare import InvalidFiguresError, changes, comparison_table, read
from bench.figure import Figure, MeasurementError, table
from bench.plotting import goals_plot

SUITES: dict[str, Callable[[int], Iterator[Figure]]] = {
    "world": world.figures,
    "worker": worker.figures,
    "api": api.figures,
    "viz": viz.figures,
    "observed": observed.figures,
    "growth": growth.figures,
    "images": images.figures,
    "build": build.figures,
    "first": first.figures,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run suites; returns the exit status: 1 if a goal is missed, a suite failed, or a figure is slower than before."""
    parser = argparse.ArgumentParser(
        prog="./pants run tests/bench --",
        description="Measures speed and memory. Each figure is a ratio to a baseline that runs in turn with it. The table shows the"
        " median of the rounds, and the range.",
        epilog="example: ./pants run tests/bench -- world api --rounds 5 --json figures.json",
    )
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"{', '.join(SUITES)} (default: all)")
    parser.add_argument("--rounds", type=int, default=9, metavar="N", help="number of rounds (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to a file (default: none)")
    parser.add_argument(
        "--compare",
        type=Path,
        metavar="OLD.json",
        help="compare with figures of --json; exit status 1 if one is slower beyond both ranges and by at least 5 %% (default: none)",
    )
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="write a plot of cost against size, as SVG (default: no plot)"
    )
    parser.add_argument(
        "--goals",
        type=Path,
        metavar="FILE",
        help="write a plot of the figures against their goals, as SVG (default: no plot)",
    )
    given = parser.parse_args(arguments)
    if unknown := [suite for suite in given.suites if suite not in SUITES]:
        parser.error(f"unknown suite {unknown[0]!r}; the suites are {', '.join(SUITES)}")
    if given.rounds < 1:
        parser.error("--rounds must be at least 1")
    try:
        old = read(given.compare) if given.compare else None
    except InvalidFiguresError as error:
        parser.error(str(error))
    print(_machine())
    results: list[Figure] = []
    failed: list[str] = []
    for suite in given.suites or SUITES:
        try:
            for figure in SUITES[suite](given.rounds):
                print(f"measured: {figure.what}", file=sys.stderr, flush=True)
                results.append(figure)
        except MeasurementError as error:
            print(f"{suite}: not measured any further: {error}", file=sys.stderr, flush=True)
            failed.append(suite)
    print(table(results))
    if failed:
        print(f"not measured to the end: {', '.join(failed)}")
    if given.json:
        given.json.write_text(
            json.dumps({"machine": _machine(), "figures": [asdict(each) for each in results]}, indent=1)
        )
    if given.goals:
        given.goals.write_text(goals_plot(_machine(), results))
    if given.plot:
        given.plot.write_text(world.plot(given.rounds))
        print(f"plotted to {given.plot}", file=sys.stderr)
    slower = False
    if old is not None:
        differences = changes(old, results)
        print(f"\n{comparison_table(differences)}")
        slower = any(change.verdict == "SLOWER" for change in differences)
    return 1 if failed or slower or any(figure.met is False for figure in results) else 0


def _machine() -> str:
    cpu = next(
        (line.partition(":")[2].strip() for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name")),
        platform.processor() or platform.machine(),
    )
    return f"{os.cpu_count()} x {cpu}, {platform.system()}, Python {platform.python_version()}, NumPy {np.__version__}"


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


if __name__ == "__main__":
    sys.exit(main())
