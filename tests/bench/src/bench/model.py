"""`./pants run tests/bench:model`: what larger worlds need, predicted from how cost grows on this machine.

A process is busy for six tenths of a processor at most, so that its latency stays what it was; Redis, which has one for its commands,
for eight tenths. Sizes are those of `bench.growth`: sims of 50 systems, two ticks a second. What is predicted is straight on from what
was measured: look at the sizes it was measured at.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.figure import MeasurementError, columns
from bench.growth import Line, Point, lines, plot

_BUSY, _REDIS_BUSY = 0.6, 0.8
_CORES = 2


@dataclass(frozen=True, slots=True)
class World:
    """What is to be carried."""

    sims: int
    spectators: int
    orders_a_second: int


@dataclass(frozen=True, slots=True)
class Need:
    """So many processes of a kind, each with so much memory, and how much of a processor they take of Redis together."""

    what: str
    processes: int
    memory_mb: float
    redis: float


def predict(measurements: Mapping[str, Line], world: World) -> list[Need]:
    """Return what a world needs of each kind."""
    ticking, looking, ordering, showing = (
        measurements[name].points[-1] for name in ("a worker", "a worker that stands by", "an API", "a viz")
    )
    workers = _processes(world.sims, ticking)
    apis = _processes(world.orders_a_second, ordering)
    vizs = _processes(world.spectators, showing)
    # Each looks at all sims, and works a twentieth of its time on that at most: beyond what was measured it looks less often.
    looks = looking.redis_s * min(world.sims / looking.size, 0.05 / max(looking.own_s, 1e-9))
    # A viz asks once for all who watch: what Redis works for it is what it works for the fewest.
    viz_redis_s = measurements["a viz"].points[0].redis_s
    return [
        Need("workers", workers, ticking.memory_mb, world.sims * ticking.redis_s / ticking.size),
        Need("their looks at all sims", 0, 0.0, workers * looks),
        Need("APIs", apis, ordering.memory_mb, world.orders_a_second * ordering.redis_s / max(ordering.size, 1)),
        Need("vizs", vizs, showing.memory_mb, vizs * viz_redis_s),
    ]


def _processes(size: int, point: Point) -> int:
    return math.ceil(size * point.own_s / point.size / _BUSY)


def masters(needs: Sequence[Need]) -> int:
    """Return how many masters of a cluster of Redis that takes."""
    return max(1, math.ceil(sum(need.redis for need in needs) / _REDIS_BUSY))


def limits(measurements: Mapping[str, Line]) -> Iterator[tuple[str, str]]:
    """Yield what one process, and one Redis, carry; that which is least in a world of one's own breaks first."""
    for name in ("a worker", "an API", "a viz"):
        line = measurements[name]
        point = line.points[-1]
        yield f"{name}, {line.across}", f"{_BUSY * point.size / point.own_s:,.0f}"
    ticking, ordering = measurements["a worker"].points[-1], measurements["an API"].points[-1]
    yield "one Redis, sims ticked", f"{_REDIS_BUSY * ticking.size / ticking.redis_s:,.0f}"
    yield "one Redis, orders/s", f"{_REDIS_BUSY * ordering.size / ordering.redis_s:,.0f}"


def format_prediction(measurements: Mapping[str, Line], world: World) -> str:
    """Return the prediction as text."""
    needs = predict(measurements, world)
    rows = [("", "processes", "MB each", "of Redis, in processors")]
    rows += [
        (need.what, str(need.processes or ""), f"{need.memory_mb:.0f}" if need.processes else "", f"{need.redis:.2f}")
        for need in needs
    ]
    processes = sum(need.processes for need in needs)
    machines = math.ceil((processes + masters(needs)) / _CORES)
    title = f"{world.sims:,} sims, {world.spectators:,} spectators, {world.orders_a_second:,} orders/s:"
    ending = f"{masters(needs)} masters of Redis; {machines:,} machines of {_CORES} processors"
    carried = columns([("one carries", "at most"), *limits(measurements)])
    return "\n\n".join((title, columns(rows), ending, carried))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, or read what was measured, and predict; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="./pants run tests/bench:model --",
        description="Measures how cost grows on this machine, and predicts what a world needs.",
    )
    parser.add_argument("--sims", type=int, default=100_000, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--spectators", type=int, default=1_000_000, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--orders", type=int, default=20_000, metavar="N", help="a second (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="measure N times (default: %(default)s)")
    parser.add_argument(
        "--lines", type=Path, metavar="FILE", help="read what was measured, or write it where it is not there"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write a plot of what was measured, as SVG")
    given = parser.parse_args(arguments)
    if given.lines and given.lines.exists():
        measurements = [
            Line(each["name"], each["across"], [Point(**point) for point in each["points"]])
            for each in json.loads(given.lines.read_text())
        ]
    else:
        measurements = []
        try:
            for line in lines(given.rounds):
                print(f"measured: {line.name}, {line.across}", file=sys.stderr, flush=True)
                measurements.append(line)
        except MeasurementError as error:
            parser.exit(1, f"not measured, so nothing can be predicted: {error}\n")
        if given.lines:
            given.lines.write_text(json.dumps([asdict(line) for line in measurements], indent=1))
    rows = [("a process", "how many", "of a processor", "of Redis' processor", "MB")]
    rows += [
        (
            f"{line.name}, {line.across}",
            f"{point.size:,}",
            f"{point.own_s:.4f}",
            f"{point.redis_s:.4f}",
            f"{point.memory_mb:.0f}",
        )
        for line in measurements
        for point in line.points
    ]
    print(columns(rows), end="\n\n")
    print(
        format_prediction({line.name: line for line in measurements}, World(given.sims, given.spectators, given.orders))
    )
    if given.plot:
        given.plot.write_text(plot(measurements))
    return 0


if __name__ == "__main__":
    sys.exit(main())
