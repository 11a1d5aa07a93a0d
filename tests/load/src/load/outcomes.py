"""Checks that every acknowledged order has an outcome in time."""

import time

from sector.client import Client
from sector.models.responses import OrderStatus

_WAIT_S = 10.0


class PromiseBroken(Exception):
    """An acknowledged order has no outcome in time."""


async def outcome_of(client: Client, order_id: str, since_tick: int, max_ticks: int, patience_s: float) -> OrderStatus:
    """Return the outcome of an order that was sent at tick `since_tick` or later.

    Raises PromiseBroken if there is no outcome within `max_ticks`, or no tick within `patience_s` seconds, or if the outcome has a later
    tick. Raises sector.client.ClientError.
    """
    newest_tick, newest_s = since_tick, time.monotonic()
    while (order_status := await client.outcome(order_id, wait_s=_WAIT_S)).status == "pending":
        tick = (await client.snapshot()).tick
        if tick > since_tick + max_ticks:
            raise PromiseBroken(f"no outcome within {max_ticks} ticks")
        if tick > newest_tick:
            newest_tick, newest_s = tick, time.monotonic()
        elif time.monotonic() > newest_s + patience_s:
            raise PromiseBroken(f"no outcome, and no tick for {patience_s:.0f} s")
    if order_status.tick is not None and order_status.tick > since_tick + max_ticks:
        raise PromiseBroken(f"an outcome after more than {max_ticks} ticks")
    return order_status
