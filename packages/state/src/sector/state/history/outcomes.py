"""Outcomes of orders, which are looked up in the stored history by the id of the order."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from sector.models import RejectReason
from sector.state.errors import HistoryBroken
from sector.state.history import history
from sector.state.history.event_codec import TickEvents, decode_tick
from sector.state.history.history import HistoryRange
from sector.state.keys import SimKeys
from sector.state.redis.client import Client
from sector.state.redis.connection import execute
from sector.state.redis.replies import as_bytes, as_list

type Status = Literal["pending", "applied", "rejected"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of an order.

    Attributes:
        order_id: The id of the order in the log.
        status: `pending`, `applied` or `rejected`.
        tick: The tick that applied or rejected it.
        at_ms: When that tick was committed, in milliseconds since 1970.
        reason: Why it was rejected, from the closed list.
        detail: Why it was rejected, for people.
        events: Its effects.
    """

    order_id: str
    status: Status
    tick: int | None = None
    at_ms: int | None = None
    reason: str | None = None
    detail: str | None = None
    events: tuple[dict[str, JsonValue], ...] = ()


def entry_id(text: str) -> tuple[int, int]:
    """Return the id of a stream entry as a sort key. Raises ValueError."""
    ms, _, number = text.partition("-")
    return int(ms), int(number or 0)


def _cursor_id(sim_id: str, tick: int, cursor: str) -> tuple[int, int]:
    try:
        return entry_id(cursor)
    except ValueError as error:
        raise HistoryBroken(sim_id, tick, f"its cursor has the invalid value {cursor[:60]!r}") from error


def outcome_in(tick: TickEvents, order_id: str) -> Outcome:
    """Return the outcome of an order that was applied or rejected in `tick`."""
    own = tuple(event for event in tick.events if event.get("order") == order_id)
    rejected = next((event for event in own if event["type"] == "order_rejected"), None)
    if rejected is None:
        return Outcome(order_id, "applied", tick.tick, tick.at_ms, events=own)
    reason, detail = str(rejected.get("reason")), str(rejected.get("detail"))
    return Outcome(order_id, "rejected", tick.tick, tick.at_ms, reason, detail, own)


async def outcome(redis: Client, sim_id: str, order_id: str) -> Outcome | None:
    """Return the outcome of an order, or None if no order has this id or its tick is no longer stored.

    Raises SimNotFound, HistoryBroken or redis.exceptions.RedisError.
    """
    history_range = await history.get_range(redis, sim_id)
    if not as_list(await execute(redis, "XRANGE", SimKeys(sim_id).orders, order_id, order_id)):
        return None
    if entry_id(order_id) <= _cursor_id(sim_id, history_range.head.tick, history_range.head.cursor):
        tick = await _applied_in(redis, sim_id, history_range, order_id)
        return None if tick is None else outcome_in(tick, order_id)
    if history_range.head.status == "finished":
        detail = f"the sim finished at tick {history_range.head.tick}, before the order was applied"
        return Outcome(
            order_id,
            "rejected",
            history_range.head.tick,
            history_range.head.at_ms,
            RejectReason.SIM_FINISHED.value,
            detail,
        )
    return Outcome(order_id, "pending")


async def _applied_in(redis: Client, sim_id: str, history_range: HistoryRange, order_id: str) -> TickEvents | None:
    """Return the first tick whose cursor is at or after the order.

    Most orders are looked up soon after their tick, so the search starts at the head and goes back in growing steps.
    """
    sought, before, after = entry_id(order_id), history_range.first, history_range.head.tick
    cursor = as_bytes(await execute(redis, "HGET", SimKeys(sim_id).keyframes, f"{before}:cursor"))
    if cursor is None or sought <= _cursor_id(sim_id, before, cursor.decode(errors="replace")):
        return None
    earliest: TickEvents | None = None
    for probe in _leaps(before, after):
        tick = await _tick(redis, sim_id, probe)
        if tick is None or entry_id(tick.cursor) < sought:
            before = probe
            break
        earliest, after = tick, probe
    while after - before > 1:
        tick = await _tick(redis, sim_id, middle := (before + after) // 2)
        if tick is None or entry_id(tick.cursor) < sought:
            before = middle
        else:
            earliest, after = tick, middle
    return earliest


def _leaps(first: int, last: int) -> Iterable[int]:
    leap = 1
    while last > first:
        yield last
        last, leap = last - leap, leap * 2


async def _tick(redis: Client, sim_id: str, tick: int) -> TickEvents | None:
    entries = as_list(await execute(redis, "XRANGE", SimKeys(sim_id).events, f"{tick}-0", f"{tick}-0"))
    return decode_tick(entries[0], sim_id) if entries else None
