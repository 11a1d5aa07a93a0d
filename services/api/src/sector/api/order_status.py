"""GET /orders/{id}: the status of an order, at once or by long polling (`wait`)."""

import asyncio
import re
from dataclasses import asdict

from sanic import Request

from sector.api.api_sim import ApiSim
from sector.api.problems import ApiError, invalid_query
from sector.api.query_params import parse_query
from sector.api.responses import Response, json_response
from sector.state.history.event_codec import TickEvents
from sector.state.history.outcomes import Outcome, entry_id, outcome, outcome_in

MAX_WAIT_S = 30.0
_ORDER_ID = re.compile(r"\d{1,18}-\d{1,18}")
_DURATION = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(ms|s)?")


async def get_order(request: Request, sim: ApiSim, order_id: str) -> Response:
    """Answer with the status of an order. With `wait`, a pending order is answered once it is applied or rejected, or after that time."""
    wait_s = _parse_wait(parse_query(request, "wait").get("wait", "0"))
    if not _ORDER_ID.fullmatch(order_id):
        raise _not_found(sim, order_id)
    await sim.newest_views()
    ticks: asyncio.Queue[TickEvents | None] = asyncio.Queue()
    with sim.subscribe(ticks.put_nowait):
        status = await outcome(sim.redis, sim.sim_id, order_id)
        if status is not None and status.status == "pending" and wait_s:
            status = await _wait_for_outcome(sim, order_id, ticks, wait_s)
    if status is None:
        raise _not_found(sim, order_id)
    return _respond(status)


async def _wait_for_outcome(
    sim: ApiSim, order_id: str, ticks: asyncio.Queue[TickEvents | None], wait_s: float
) -> Outcome | None:
    order_entry = entry_id(order_id)
    try:
        async with asyncio.timeout(wait_s):
            while True:
                tick = await ticks.get()
                if tick is not None and entry_id(tick.cursor) >= order_entry:
                    return outcome_in(tick, order_id)
                if tick is None or (await sim.view()).head.status == "finished":
                    status = await outcome(sim.redis, sim.sim_id, order_id)
                    if status is None or status.status != "pending" or sim.ended:
                        # After the watcher has ended no tick comes: the client polls again.
                        return status
    except TimeoutError:
        return Outcome(order_id, "pending")


def _respond(status: Outcome) -> Response:
    fields = asdict(status)
    body = {"id": fields.pop("order_id"), **{name: value for name, value in fields.items() if value is not None}}
    return json_response(body | {"events": list(status.events)}, headers=((b"cache-control", b"no-store"),))


def _not_found(sim: ApiSim, order_id: str) -> ApiError:
    detail = (
        f"sim {sim.sim_id} has no order {order_id[:60]!r} in its log: orders are deleted with the history around them"
    )
    return ApiError(404, "The order does not exist", detail)


def _parse_wait(text: str) -> float:
    match = _DURATION.fullmatch(text)
    seconds = None if match is None else float(match[1]) / (1000 if match[2] == "ms" else 1)
    if seconds is None or seconds > MAX_WAIT_S:
        raise invalid_query(
            "wait", f"{text[:40]!r} is not a duration from 0s to {MAX_WAIT_S:.0f}s, such as 2s or 500ms"
        )
    return seconds
