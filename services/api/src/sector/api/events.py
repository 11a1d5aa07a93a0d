"""GET /events: what happened, oldest first, page by page."""

import re

from sanic import Blueprint, HTTPResponse, Request, json

from sector.api.problems import invalid_query
from sector.state.reader import SimReader

MAX_LIMIT = 1_000
_EVENT_ID = re.compile(r"(\d{1,18})-(\d{1,9})")


def routes(reader: SimReader) -> Blueprint:
    """Return the endpoint for the sim."""
    endpoint = Blueprint("events")

    @endpoint.get("/events")
    @endpoint.head("/events", name="events_head")
    async def get_events(request: Request) -> HTTPResponse:
        query = request.get_args(keep_blank_values=True)
        after, limit = str(query.get("after", "0-0")), str(query.get("limit", "100"))
        match = _EVENT_ID.fullmatch(after)
        if match is None:
            raise invalid_query("after", f"{after!r} is not the id of an event, such as 12-0")
        if not (limit.isascii() and limit.isdecimal() and 1 <= int(limit[:9]) <= MAX_LIMIT):
            raise invalid_query("limit", f"{limit!r} is not a number from 1 to {MAX_LIMIT}")
        found = await reader.events((int(match[1]), int(match[2])), int(limit))
        return json({"events": found, "next": found[-1]["id"] if found else after})

    return endpoint
