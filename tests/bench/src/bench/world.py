"""The cost of the world: a tick, the bytes that a worker writes for it, memory, thousands of orders, and puppets."""

import math
import statistics
import tracemalloc
from collections.abc import Iterator
from copy import replace

import numpy as np

from bench.boards import board, columns, moves, played, with_fleets
from bench.figure import Figure
from bench.plotting import log_plot
from bench.timing import interleaved, ms, ratios
from sector.models.frame import decode, digest, encode
from sector.process.memory import keep_freed_memory
from sector.world import Position, SectorWorld
from sector.world.codec import snapshot_frame
from sector.world.mutable_state import MutableState
from sector.world.puppets import play
from sector.world.state import Factions, WorldState
from sector.world.tick import advance

_WORLD = SectorWorld()
_SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
_FLEETS_A_SYSTEM = 10


def figures(rounds: int) -> Iterator[Figure]:
    """Measure the suite: small worlds in plain Python, large ones with the memory settings of a worker."""
    small = board(1_000, 5_000)
    yield _small(small, rounds)
    yield from _tick(small, "1,000 systems, 5,000 fleets", rounds, goal=None)
    yield from _orders(small, "1,000 systems", rounds)
    yield from _orders(board(10_000, 100_000), "10,000 systems", rounds)
    yield from _puppets(rounds)
    keep_freed_memory()
    large = board(100_000, 1_000_000)
    yield from _tick(large, "100,000 systems, 1,000,000 fleets", rounds, goal=25)
    yield from _codec(large, rounds)
    yield _memory(large)
    yield from _orders(large, "100,000 systems", rounds)
    del large
    yield _growth(rounds)


def position_of(state: WorldState) -> Position:
    """Return the position that a worker has at `state`."""
    frame = snapshot_frame(state, parent="")
    return Position(state, frame, digest(encode(frame)))


def _copy(state: WorldState) -> list[np.ndarray[tuple[int, ...], np.dtype[np.generic]]]:
    return [column.copy() for column in columns(state)]


def _tick(state: WorldState, size: str, rounds: int, goal: float | None) -> Iterator[Figure]:
    position = position_of(state)
    took = interleaved(
        {
            "copy": lambda: _copy(state),
            "tick": lambda: advance(state, []),
            "step": lambda: _WORLD.advance(position, []),
        },
        rounds,
    )
    for name, what in (("tick", "tick"), ("step", "tick with snapshot, delta, events as bytes")):
        against = f"{ms(took['copy'])}, a copy of its columns"
        yield Figure(f"{what}: {size}", ms(took[name]), against, *ratios(took[name], took["copy"]), goal)


def _small(state: WorldState, rounds: int) -> Figure:
    block = np.arange(8_000_000)
    took = interleaved({"copy": block.copy, "tick": lambda: advance(state, [])}, rounds)
    against = f"{ms(took['copy'])}, a copy of 64 MB"
    return Figure(
        "tick: 1,000 systems, 5,000 fleets", ms(took["tick"]), against, *ratios(took["tick"], took["copy"]), 0.025
    )


def _codec(state: WorldState, rounds: int) -> Iterator[Figure]:
    blob = encode(snapshot_frame(state, parent=""))
    took = interleaved(
        {
            "copy": lambda: _copy(state),
            "both": lambda: (encode(snapshot_frame(state, parent="")), decode(blob)),
        },
        rounds,
    )
    against = f"{ms(took['copy'])}, a copy of its columns"
    yield Figure("encode and decode of that state", ms(took["both"]), against, *ratios(took["both"], took["copy"]), 4)


def _memory(state: WorldState) -> Figure:
    """Measure the peak memory of a tick: the state before it, and all allocations during it."""
    size = sum(column.nbytes for column in columns(state))
    position = position_of(state)
    tracemalloc.start()
    step = _WORLD.advance(position, [])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del step
    ratio = (size + peak) / size
    return Figure(
        "memory of that tick with its bytes", f"{(size + peak) / 1e6:.0f} MB", f"{size / 1e6:.0f} MB, its columns",
        ratio, ratio, ratio, 4,
    )  # fmt: skip


def _orders(state: WorldState, size: str, rounds: int) -> Iterator[Figure]:
    orders = moves(state, 1_000)
    took = interleaved({"with": lambda: advance(state, orders), "without": lambda: advance(state, [])}, rounds)
    against = f"{ms(took['without'])}, the tick without"
    yield Figure(
        f"tick with 1,000 orders: {size}", ms(took["with"]), against, *ratios(took["with"], took["without"]), 3
    )


def _growth(rounds: int) -> Figure:
    costs = {size: _seconds(size, rounds)[0] for size in (_SIZES[0], _SIZES[-1])}
    least, most = min(costs), max(costs)
    each = {size: seconds / size * 1e9 for size, seconds in costs.items()}
    ratio = each[most] / each[least]
    return Figure(
        f"tick, a system, {most:,} of them with {_FLEETS_A_SYSTEM} fleets each",
        f"{each[most]:.0f} ns",
        f"{each[least]:.0f} ns, with {least:,}",
        ratio,
        ratio,
        ratio,
        1,
    )


def _seconds(systems: int, rounds: int) -> tuple[float, float, float]:
    """Return the medians of tick, tick with its bytes, and a copy of the columns."""
    state = board(systems, systems * _FLEETS_A_SYSTEM)
    position = position_of(state)
    took = interleaved(
        {
            "tick": lambda: advance(state, []),
            "step": lambda: _WORLD.advance(position, []),
            "copy": lambda: _copy(state),
        },
        rounds,
    )
    tick, step, copy = (statistics.median(samples) for samples in took.values())
    return tick, step, copy


def _puppets(rounds: int) -> Iterator[Figure]:
    """Measure 100 puppets in a world that they have divided: at its end, and with as many fleets as elsewhere."""
    state = played(10_000, puppets=100, ticks=150)
    crowded = with_fleets(state, len(state.owner) * _FLEETS_A_SYSTEM)
    yield _play(crowded, f"{_FLEETS_A_SYSTEM} fleets a system", rounds)
    yield _play(state, f"{len(state.fleets.id)} fleets", rounds)


def _play(state: WorldState, name: str, rounds: int) -> Figure:
    # Puppets plan in different ticks. Twelve consecutive ticks contain a plan of each.
    states = [state]
    for _ in range(11):
        states.append(advance(states[-1], []).state)
    nobodys = [position_of(replace(each, factions=_without_puppets(each))) for each in states]
    took = interleaved(
        {
            "plans": lambda: _plan_all(states),
            "ticks": lambda: [_WORLD.advance(each, []) for each in nobodys],
        },
        rounds,
    )
    per_tick = {key: [seconds / len(states) for seconds in samples] for key, samples in took.items()}
    against = f"{ms(per_tick['ticks'])}, the tick without them"
    plan_ratios = ratios(per_tick["plans"], per_tick["ticks"])
    return Figure(f"100 puppets, 10,000 systems, {name}", ms(per_tick["plans"]), against, *plan_ratios, 1)


def _plan_all(states: list[WorldState]) -> None:
    for state in states:
        play(state, MutableState.from_state(state, 0))


def _without_puppets(state: WorldState) -> Factions:
    return replace(state.factions, puppet=np.zeros_like(state.factions.puppet))


def plot(rounds: int) -> str:
    """Return the cost of a tick against the number of systems, as SVG."""
    costs = {size: _seconds(size, rounds) for size in _SIZES}
    lines = {
        name: [(size, cost[place] * 1000) for size, cost in costs.items()]
        for place, name in enumerate(("tick", "tick, with its bytes", "a copy of the columns"))
    }
    slope = math.log(costs[_SIZES[-1]][0] / costs[_SIZES[0]][0]) / math.log(_SIZES[-1] / _SIZES[0])
    title = f"Cost of a tick, {_FLEETS_A_SYSTEM} fleets a system: it grows with the power {slope:.2f} of the size"
    return log_plot(title, "systems", "milliseconds", lines)
