"""GET /orders/{id}: what became of an order, at once or as soon as it is known."""

import asyncio
import re
from dataclasses import asdict

from sanic import Request

from sector.api.api_sim import ApiSim
from sector.api.problems import ApiError, invalid_query
from sector.api.query_params import query
from sector.api.responses import Response, json_response
from sector.state.history.event_codec import TickEvents
from sector.state.history.outcomes import Outcome, entry_id, outcome, outcome_in

LONGEST_WAIT_S = 30.0
_ORDER_ID = re.compile(r"\d{1,18}-\d{1,18}")
_WAIT = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(ms|s)?")


async def get_order(request: Request, sim: ApiSim, order_id: str) -> Response:
    """Answer with the outcome; with `wait`, once there is one, or after so long."""
    wait_s = _seconds(query(request, "wait").get("wait", "0"))
    if not _ORDER_ID.fullmatch(order_id):
        raise _no_such(sim, order_id)
    await sim.newest()
    ticks: asyncio.Queue[TickEvents | None] = asyncio.Queue()
    with sim.subscribe(ticks.put_nowait):
        found = await outcome(sim.redis, sim.sim_id, order_id)
        if found is not None and found.status == "pending" and wait_s:
            found = await _waited(sim, order_id, ticks, wait_s)
    if found is None:
        raise _no_such(sim, order_id)
    return _answer(found)


async def _waited(sim: ApiSim, order_id: str, ticks: asyncio.Queue[TickEvents | None], wait_s: float) -> Outcome | None:
    sought = entry_id(order_id)
    try:
        async with asyncio.timeout(wait_s):
            while True:
                tick = await ticks.get()
                if tick is not None and entry_id(tick.cursor) >= sought:
                    return outcome_in(tick, order_id)
                if tick is None or (await sim.view()).head.status == "finished":
                    found = await outcome(sim.redis, sim.sim_id, order_id)
                    if found is None or found.status != "pending" or sim.ended:
                        # Where following has ended, no tick would come: the client asks again.
                        return found
    except TimeoutError:
        return Outcome(order_id, "pending")


def _answer(found: Outcome) -> Response:
    told = asdict(found)
    body = {"id": told.pop("order_id"), **{name: value for name, value in told.items() if value is not None}}
    return json_response(body | {"events": list(found.events)}, headers=((b"cache-control", b"no-store"),))


def _no_such(sim: ApiSim, order_id: str) -> ApiError:
    detail = f"sim {sim.sim_id} has no order {order_id[:60]!r} in its log; orders are kept as long as the history around them"
    return ApiError(404, "No such order", detail)


def _seconds(text: str) -> float:
    match = _WAIT.fullmatch(text)
    seconds = -1.0 if match is None else float(match[1]) / (1000 if match[2] == "ms" else 1)
    if not 0 <= seconds <= LONGEST_WAIT_S:
        raise invalid_query(
            "wait", f"{text[:40]!r} is not a time from 0s to {LONGEST_WAIT_S:.0f}s, such as 2s or 500ms"
        )
    return seconds
