"""GET /events: the events of a sim, oldest first, page by page."""

import re
from typing import get_args

from sanic import Request

from sector.api.api_sim import ApiSim
from sector.api.problems import invalid_query
from sector.api.query_params import MAX_LIMIT, MAX_TICK, parse_integer, parse_query
from sector.api.request_throttle import RequestThrottle
from sector.api.responses import Response, json_response
from sector.models.events import Event as AnyEvent
from sector.models.events import concerns
from sector.models.field_types import FACTION_ID
from sector.state.history.event_codec import Event
from sector.state.watch.reader import EventFilter, EventId

EVENT_TYPES = frozenset(str(kind.model_fields["type"].default) for kind in get_args(get_args(AnyEvent)[0]))
_EVENT_ID = re.compile(r"(\d{1,15})-(\d{1,9})")
_FACTION = re.compile(FACTION_ID)


async def get_events(throttle: RequestThrottle, request: Request, sim: ApiSim) -> Response:
    """Answer with a page of events, and the event id after which the next page begins."""
    parameters = parse_query(request, "after", "tick", "type", "faction", "limit")
    after, event_filter = parse_start(parameters), parse_filter(parameters)
    limit = parse_integer("limit", parameters.get("limit", "100"), 1, MAX_LIMIT)
    page = await sim.reader.events(after, limit, event_filter, turn=throttle.turn_of(request))
    tick, number = page.next
    return json_response({"events": list(page.events), "next": f"{tick}-{max(number, 0)}", "more": page.more})


def parse_start(parameters: dict[str, str]) -> EventId:
    """Return the id of the event after which to begin: `after`, or the one before the tick `tick`. Raises ApiError."""
    if "tick" not in parameters:
        return parse_event_id("after", parameters.get("after", "0-0"))
    if "after" in parameters:
        raise invalid_query("tick", "it excludes after: use only one of them")
    return parse_integer("tick", parameters["tick"], 0, MAX_TICK), -1


def parse_event_id(name: str, text: str) -> EventId:
    """Return the id of an event. Raises ApiError."""
    match = _EVENT_ID.fullmatch(text)
    if match is None or not text.isascii():
        raise invalid_query(name, f"{text[:40]!r} is not an event id, such as 12-0")
    return int(match[1]), int(match[2])


def parse_filter(parameters: dict[str, str]) -> EventFilter | None:
    """Return the filter for events, by `type` and `faction`; None if all events pass. Raises ApiError."""
    types = frozenset(parameters["type"].split(",")) if "type" in parameters else EVENT_TYPES
    if unknown := sorted(types - EVENT_TYPES):
        raise invalid_query("type", f"{unknown[0][:40]!r} is not one of {', '.join(sorted(EVENT_TYPES))}")
    faction = parameters.get("faction")
    if faction is not None and not _FACTION.fullmatch(faction):
        raise invalid_query("faction", f"{faction[:40]!r} is not a faction id")
    if types == EVENT_TYPES and faction is None:
        return None

    def passes(event: Event) -> bool:
        return event["type"] in types and (faction is None or concerns(event, faction))

    return passes
