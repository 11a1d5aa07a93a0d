"""The commands that write a tick."""

from collections.abc import Sequence

from sector.models import LoggedOrder, Step
from sector.state.history.event_codec import TickEvents, encode_tick
from sector.state.history.retention import HistoryStep
from sector.state.keys import SimKeys
from sector.state.log.order_codec import DeadLetter
from sector.state.redis.command_encoding import Command
from sector.state.tick.head import Head

_MAX_TRACES = 100


def encode_commit[S](
    keys: SimKeys,
    head: Head,
    step: Step[S],
    history: HistoryStep,
    dead_letters: Sequence[DeadLetter],
    traces: tuple[str, ...],
    *,
    with_snapshot: bool,
) -> list[Command]:
    """Return the commands that write the tick, and its snapshot if `with_snapshot`. Readers get the traces of its orders."""
    tick = TickEvents(head.tick, head.at_ms, head.epoch, head.hash, head.cursor, step.events, step.delta, traces)
    return [
        *([("SET", keys.snapshot, step.snapshot)] if with_snapshot else ()),
        ("HSET", keys.head, *head.pairs()),
        encode_tick(keys.events, tick),
        *(each.store_command(keys) for each in dead_letters),
        *history.commands,
    ]


def traces_of(orders: Sequence[LoggedOrder]) -> tuple[str, ...]:
    """Return the traces of orders, each once, and no more than an entry of the event stream may have."""
    return tuple(dict.fromkeys(order.trace for order in orders if order.trace))[:_MAX_TRACES]
