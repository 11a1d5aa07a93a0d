"""`./pants run tests/bench:model`: predicts the needs of larger worlds from the growth of cost on this machine.

A process uses at most six tenths of a core, so that its latency does not rise, and Redis at most eight tenths of its core. The sizes
are those of `bench.growth`: sims of 50 systems with two ticks per second. The prediction is linear, so compare the measured sizes
with the predicted ones.
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
    """The size of a world to predict."""

    sims: int
    spectators: int
    orders_a_second: int


@dataclass(frozen=True, slots=True)
class Need:
    """The number of processes of a kind, the memory of each in MB, and the cores of Redis for all of them."""

    what: str
    processes: int
    memory_mb: float
    redis: float


def predict(measurements: Mapping[str, Line], world: World) -> list[Need]:
    """Return the needs of a world, by kind of process."""
    ticking, looking, ordering, showing = (
        measurements[name].points[-1] for name in ("a worker", "a worker that stands by", "an API", "a viz")
    )
    workers = _processes(world.sims, ticking)
    apis = _processes(world.orders_a_second, ordering)
    vizs = _processes(world.spectators, showing)
    # Each worker reads all leases, for at most a twentieth of its time: with more sims it reads less often.
    looks = looking.redis_s * min(world.sims / looking.size, 0.05 / max(looking.own_s, 1e-9))
    # A viz reads once for all of its spectators, so its cost in Redis is that of the smallest measured size.
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
    """Return the number of masters of a Redis cluster for these needs."""
    return max(1, math.ceil(sum(need.redis for need in needs) / _REDIS_BUSY))


def limits(measurements: Mapping[str, Line]) -> Iterator[tuple[str, str]]:
    """Yield the capacity of one process of each kind, and of one Redis."""
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
    """Measure, or read measurements, and predict; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="./pants run tests/bench:model --",
        description="Measures how cost grows on this machine, and predicts the needs of a world.",
        epilog="example: ./pants run tests/bench:model -- --sims 1000 --spectators 10000 --lines lines.json",
    )
    parser.add_argument("--sims", type=int, default=100_000, metavar="N", help="number of sims (default: %(default)s)")
    parser.add_argument(
        "--spectators", type=int, default=1_000_000, metavar="N", help="number of spectators (default: %(default)s)"
    )
    parser.add_argument(
        "--orders", type=int, default=20_000, metavar="N", help="orders per second (default: %(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="number of rounds (default: %(default)s)")
    parser.add_argument(
        "--lines",
        type=Path,
        metavar="FILE",
        help="read the measurements from this file, or write them if it does not exist (default: none)",
    )
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="write a plot of the measurements, as SVG (default: no plot)"
    )
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
