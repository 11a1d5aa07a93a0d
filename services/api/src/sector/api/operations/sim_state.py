"""The operations that read a sim: its state, its map and its events."""

from sector.api import examples
from sector.api.encoded_views import SNAPSHOT_FORMATS
from sector.api.events import EVENT_TYPES
from sector.api.operation import Operation, Parameter, Reply, Schema
from sector.api.operations.shared_parts import LIMIT, OBJECT, TICK
from sector.models.field_types import FACTION_ID
from sector.models.responses import EventPage

_EVENT_ID: Schema = {"type": "string", "pattern": r"^[0-9]{1,15}-[0-9]{1,9}$"}
_IF_NONE_MATCH = Parameter(
    "If-None-Match",
    "header",
    {"type": "string"},
    "The ETag of the state that the client has. The response is 304 while it is current.",
    '"5f3b2c-rows"',
)
_EVENT_FILTER = (
    Parameter(
        "type",
        "query",
        {"type": "string", "pattern": f"^({'|'.join(sorted(EVENT_TYPES))})(,({'|'.join(sorted(EVENT_TYPES))}))*$"},
        "Only events of these types, separated by commas.",
        "battle,system_captured",
    ),
    Parameter(
        "faction",
        "query",
        {"type": "string", "pattern": f"^{FACTION_ID}$"},
        "Only events that concern this faction.",
        "Aurora",
    ),
)
_AFTER = Parameter("after", "query", _EVENT_ID, "The event after which to begin. Excludes `tick`.", "12-0")
_FROM_TICK = Parameter("tick", "query", TICK, "The first tick. Excludes `after`.", 12)
_CACHE_HEADERS = ("ETag", "Cache-Control", "Vary")
_STATE: Schema = {"anyOf": [{"$ref": "Snapshot"}, {"$ref": "Columns"}]}
_NOT_MODIFIED = Reply("The client has the current state.", headers=_CACHE_HEADERS)

GET_SNAPSHOT = Operation(
    "get",
    "/snapshot",
    "The state of the sim",
    {
        200: Reply("The state.", _STATE, example=examples.SNAPSHOT, headers=_CACHE_HEADERS),
        304: _NOT_MODIFIED,
    },
    "The state is encoded once per tick, as zstd, br or gzip according to Accept-Encoding, each with a strong ETag.",
    parameters=(
        Parameter(
            "format",
            "query",
            {"type": "string", "enum": list(SNAPSHOT_FORMATS)},
            "rows: an object for each row. columns: a list for each field, which takes half the space.",
            "rows",
        ),
        Parameter("tick", "query", TICK, "An earlier tick. GET /sims/{sim_id} has the range of available ticks.", 12),
        _IF_NONE_MATCH,
    ),
    problems={404: "No such sim, or the tick is not in the history."},
)

GET_MAP = Operation(
    "get",
    "/map",
    "The map of the sim, which never changes: names, positions, growth, lanes, homes",
    {200: Reply("The map: tables of rows.", OBJECT, example=examples.MAP, headers=_CACHE_HEADERS), 304: _NOT_MODIFIED},
    parameters=(_IF_NONE_MATCH,),
)

GET_EVENTS = Operation(
    "get",
    "/events",
    "Events, oldest first",
    {200: Reply("A page of events.", EventPage, example=examples.EVENTS)},
    "A page may be empty although `more` is true, if no event in it matches. Continue after `next`.",
    parameters=(_AFTER, _FROM_TICK, *_EVENT_FILTER, LIMIT),
)

GET_EVENT_STREAM = Operation(
    "get",
    "/events/stream",
    "Events as they happen",
    {
        200: Reply(
            "Server-sent events: `event` is the type, `id` the id, `data` the event as in a page.",
            {"type": "string"},
            "text/event-stream",
            examples.STREAM,
        )
    },
    "Without `after` and `tick` the stream begins now, with an id to resume from if it breaks before the first event. "
    "Comments are heartbeats. `gap`: the events in between are no longer in the history. "
    "`tick`: all events of a tick were sent; it follows each tick, also one without events. "
    "`dropped`: the client reads too slowly. `reconnect`: the server ends the stream; reconnect with Last-Event-ID.",
    parameters=(
        _AFTER,
        _FROM_TICK,
        *_EVENT_FILTER,
        Parameter(
            "Last-Event-ID", "header", _EVENT_ID, "As `after`, and takes precedence over it. Empty: no event.", "12-0"
        ),
        Parameter(
            "lastEventId", "query", _EVENT_ID, "As the header Last-Event-ID, for clients that cannot send it.", "12-0"
        ),
    ),
)
