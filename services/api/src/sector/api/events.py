"""GET /events: what happened, oldest first, page by page."""

import re
from typing import get_args

from sanic import Request

from sector.api.api_sim import ApiSim
from sector.api.problems import invalid_query
from sector.api.query_params import number, query
from sector.api.request_throttle import RequestThrottle
from sector.api.responses import Response, json_response
from sector.models.events import Event as AnyEvent
from sector.models.events import concerns
from sector.models.field_types import FACTION_ID
from sector.state.history.event_codec import Event
from sector.state.watch.reader import EventFilter, EventId

MAX_LIMIT = 1_000
KINDS = frozenset(str(kind.model_fields["type"].default) for kind in get_args(get_args(AnyEvent)[0]))
_EVENT_ID = re.compile(r"(\d{1,15})-(\d{1,9})")
_FACTION = re.compile(FACTION_ID)


async def get_events(throttle: RequestThrottle, request: Request, sim: ApiSim) -> Response:
    """Answer with a page of events, and the id after which the next one begins."""
    asked = query(request, "after", "tick", "type", "faction", "limit")
    after, wanted = start_of(asked), wanted_of(asked)
    limit = number("limit", asked.get("limit", "100"), 1, MAX_LIMIT)
    page = await sim.reader.events(after, limit, wanted, turn=throttle.turn_of(request))
    tick, at = page.next
    return json_response({"events": list(page.events), "next": f"{tick}-{max(at, 0)}", "more": page.more})


def start_of(asked: dict[str, str]) -> EventId:
    """Return after which event to begin: `after` names it, or `tick` the first tick. Raises Problem."""
    if "tick" not in asked:
        return event_id("after", asked.get("after", "0-0"))
    if "after" in asked:
        raise invalid_query("tick", "there is after already: one of them says where to begin")
    return number("tick", asked["tick"], 0, 2**53), -1


def event_id(name: str, text: str) -> EventId:
    """Return the id of an event. Raises Problem."""
    match = _EVENT_ID.fullmatch(text)
    if match is None or not text.isascii():
        raise invalid_query(name, f"{text[:40]!r} is not the id of an event, such as 12-0")
    return int(match[1]), int(match[2])


def wanted_of(asked: dict[str, str]) -> EventFilter | None:
    """Return which events are asked for: of the types in `type`, and those that concern `faction`. None: all. Raises Problem."""
    kinds = frozenset(asked["type"].split(",")) if "type" in asked else KINDS
    if foreign := sorted(kinds - KINDS):
        raise invalid_query("type", f"{foreign[0][:40]!r} is not among {', '.join(sorted(KINDS))}")
    faction = asked.get("faction")
    if faction is not None and not _FACTION.fullmatch(faction):
        raise invalid_query("faction", f"{faction[:40]!r} is not the id of a faction")
    if kinds == KINDS and faction is None:
        return None

    def wanted(event: Event) -> bool:
        return event["type"] in kinds and (faction is None or concerns(event, faction))

    return wanted
