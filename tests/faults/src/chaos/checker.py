"""The checker: checks the full history of a sim after a run, and describes each violation. It is independent of the worker."""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

from chaos.observer import ObservedHashes
from chaos.players import Acknowledged
from chaos.sim_history import SimHistory
from sector.models.archive import Keyframe, TickEntry
from sector.models.delta import DeltaError, apply_delta
from sector.models.frame import Frame, FrameError, decode, digest, encode
from sector.world.replay import ReplayError, replay

type Promise = Literal["lost", "duplicated", "order", "ticks", "epochs", "chain", "replay", "witness"]
type Violation = tuple[Promise, str]


def violations(
    sim: SimHistory, acknowledged: Sequence[Acknowledged], observed: ObservedHashes | None = None
) -> Iterator[Violation]:
    """Yield each violation: the broken promise, and how. `observed`: hashes of ticks that must not be recomputed."""
    yield from _orders(sim, acknowledged)
    yield from _ticks(sim)
    yield from _chain(sim)
    yield from _replay(sim)
    if observed is not None:
        yield from _observed(sim, observed)


def _id(order_id: str) -> tuple[int, int]:
    """Return an id of the log as numbers, which sort in the order of the log."""
    ms, _, number = order_id.partition("-")
    return int(ms), int(number)


def _orders(sim: SimHistory, acknowledged: Sequence[Acknowledged]) -> Iterator[Violation]:
    """Each acknowledged order is applied or rejected once, in log order, by the tick whose cursor passes it."""
    outcomes = [(tick, event) for tick in sim.ticks for event in tick.events if event.get("order")]
    ids = [str(event["order"]) for _, event in outcomes]
    times = Counter(ids)
    for order in acknowledged:
        if order.order_id not in times:
            in_log = "in the log, and not applied" if order.order_id in sim.log else "not in the log"
            yield "lost", f"order {order.order_id} was acknowledged and is {in_log}"
    for order_id in sim.log:
        if order_id not in times and _id(order_id) <= _id(sim.head.cursor):
            yield "lost", f"order {order_id} is behind the cursor, {sim.head.cursor}, and was not applied"
    for order_id, count in times.items():
        if count > 1:
            yield "duplicated", f"order {order_id} was applied {count} times"
    texts = Counter(str(event["text"]) for _, event in outcomes if event["type"] == "note")
    yield from (("duplicated", f"note {text!r} was told {count} times") for text, count in texts.items() if count > 1)
    text_of_order = {str(event["order"]): str(event.get("text", "")) for _, event in outcomes}
    for order in acknowledged:
        if order.text and text_of_order.get(order.order_id, order.text) != order.text:
            yield "order", f"order {order.order_id} was {order.text!r} and came out as {text_of_order[order.order_id]!r}"
    if ids != sorted(ids, key=_id):
        late = next(after for before, after in itertools.pairwise(ids) if _id(after) <= _id(before))
        yield "order", f"order {late} was applied after a later one"
    for tick, event in outcomes:
        if _id(str(event["order"])) > _id(tick.cursor):
            yield "order", f"tick {tick.tick} applied order {event['order']} and moved the cursor to {tick.cursor} only"


def _ticks(sim: SimHistory) -> Iterator[Violation]:
    """Ticks 1, 2, 3, … each once, up to the head; cursors and epochs never decrease."""
    numbers = [tick.tick for tick in sim.ticks]
    if numbers != list(range(1, len(numbers) + 1)):
        odd = next(at for at, number in enumerate([*numbers, -1], 1) if number != at)
        yield "ticks", f"tick {odd} is not where it must be, between {numbers[max(odd - 3, 0) : odd + 2]}"
    if not sim.ticks:
        return
    last = sim.ticks[-1]
    if (sim.head.tick, sim.head.hash, sim.head.cursor) != (last.tick, last.hash, last.cursor):
        head = f"tick {sim.head.tick}, {sim.head.hash}, cursor {sim.head.cursor}"
        yield "ticks", f"the head is at {head}; the last tick is {last.tick}, {last.hash}, cursor {last.cursor}"
    for before, after in itertools.pairwise(sim.ticks):
        if after.epoch < before.epoch:
            yield "epochs", f"tick {after.tick} has epoch {after.epoch}, after epoch {before.epoch}"
        if _id(after.cursor) < _id(before.cursor):
            yield "order", f"tick {after.tick} moved the cursor back, from {before.cursor} to {after.cursor}"
    if sim.head.epoch < last.epoch:
        yield "epochs", f"the head has epoch {sim.head.epoch}, the last tick {last.epoch}"


def _chain(sim: SimHistory) -> Iterator[Violation]:
    """Each delta leads to the recorded hash, each snapshot names the previous one, and the head has the last state."""
    if sim.gap:
        yield "chain", sim.gap
    frame: Frame | None = None
    state_hash = ""
    for record in sim.records:
        if isinstance(record, Keyframe):
            if frame is not None and digest(record.snapshot) != state_hash:
                yield "chain", f"the keyframe of tick {record.tick} is not the state there"
            frame, state_hash = decode(record.snapshot), digest(record.snapshot)
        elif isinstance(record, TickEntry) and frame is not None:
            try:
                frame = apply_delta(frame, decode(record.delta))
            except (DeltaError, FrameError) as error:
                yield "chain", f"the delta of tick {record.tick} does not fit: {error}"
                return
            if frame.meta.get("parent") != state_hash:
                yield "chain", f"tick {record.tick} names {frame.meta.get('parent')} before it, which is {state_hash}"
            state_hash = digest(encode(frame))
            if state_hash != record.hash:
                yield "chain", f"tick {record.tick} comes to {state_hash}, and {record.hash} is recorded"
                return
    if sim.state_hash != sim.head.hash:
        yield "chain", f"the state at head is {sim.state_hash or 'none'}, and the head says {sim.head.hash}"


def _replay(sim: SimHistory) -> Iterator[Violation]:
    """A replay of the log gives the same hashes."""
    try:
        for done in replay(iter(sim.records)):
            if done.difference is not None:
                difference = done.difference
                yield "replay", f"tick {done.tick} replays to {difference.replayed}, not {difference.recorded}"
    except (ReplayError, FrameError) as error:
        yield "replay", str(error)


def _observed(sim: SimHistory, observed: ObservedHashes) -> Iterator[Violation]:
    """Observed ticks are unchanged: no tick was recomputed."""
    recorded = {tick.tick: tick.hash for tick in sim.ticks}
    if observed.rewound:
        yield "witness", f"sim {sim.sim_id} was seen to go back in time {observed.rewound} times"
    for tick, state_hash in observed.hashes.items():
        if recorded.get(tick) != state_hash:
            yield "witness", f"tick {tick} was seen as {state_hash}, and is recorded as {recorded.get(tick)}"
