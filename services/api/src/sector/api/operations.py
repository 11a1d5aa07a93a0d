"""All operations of the API. `routes` adds a route for each, and `openapi` describes each in the document."""

from pydantic import JsonValue

from sector.api import examples
from sector.api.encoded_views import SNAPSHOT_FORMATS
from sector.api.events import EVENT_TYPES
from sector.api.operation import Operation, Parameter, Reply, Schema
from sector.api.order_status import MAX_WAIT_S
from sector.api.order_validation import MAX_ORDERS
from sector.api.query_params import MAX_LIMIT, MAX_TICK
from sector.models import Snapshot
from sector.models.field_types import FACTION_ID, SIM_ID
from sector.models.responses import (
    AcceptedOrder,
    EventPage,
    NewFork,
    NewSim,
    OrderStatus,
    RequestedSim,
    Results,
    SimDetails,
    SimPage,
)

_OBJECT: Schema = {"type": "object"}
_TICK: Schema = {"type": "integer", "minimum": 0, "maximum": MAX_TICK}
_EVENT_ID: Schema = {"type": "string", "pattern": r"^[0-9]{1,15}-[0-9]{1,9}$"}


_IF_NONE_MATCH = Parameter(
    "If-None-Match",
    "header",
    {"type": "string"},
    "The ETag of the state that the client has. The response is 304 while it is current.",
    '"5f3b2c-rows"',
)
_IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    "header",
    {"type": "string", "pattern": r"^[\x21-\x7e]{1,255}$"},
    "A key that the client chooses. Requests with the same key are executed once, and get the same response for 24 hours.",
    "7b0b2f5e",
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
_LIST: JsonValue = {
    "type": "array",
    # Any value: an invalid order is rejected, and the others are accepted.
    "items": {"anyOf": [{"$ref": "Order"}, {}]},
    "minItems": 1,
    "maxItems": MAX_ORDERS,
}
_AFTER = Parameter("after", "query", _EVENT_ID, "The event after which to begin. Excludes `tick`.", "12-0")
_FROM_TICK = Parameter("tick", "query", _TICK, "The first tick. Excludes `after`.", 12)
_LIMIT = Parameter(
    "limit", "query", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}, "Maximum number of items.", 100
)
_CACHE_HEADERS = ("ETag", "Cache-Control", "Vary")
_STATE: Schema = {"anyOf": [{"$ref": "Snapshot"}, {"$ref": "Columns"}]}
_REQUESTED = Reply(
    "The request is stored. Poll the location for the status of the sim.",
    RequestedSim,
    example=examples.ASKED_FOR,
    headers=("Location",),
)
_NOT_READY = Reply("The process is not ready. The body has the reasons.", _OBJECT, example=examples.UNREADY)
_NOT_MODIFIED = Reply("The client has the current state.", headers=_CACHE_HEADERS)
_RATE_LIMITED = "The rate limit of the token or address is exceeded, or too many orders are pending. See Retry-After."
_SIM_FINISHED = "The sim is finished."
_UNSUPPORTED_TYPE = "The body has a type other than JSON (see Accept), or a Content-Encoding."

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
        Parameter("tick", "query", _TICK, "An earlier tick. GET /sims/{sim_id} has the range of available ticks.", 12),
        _IF_NONE_MATCH,
    ),
    problems={404: "No such sim, or the tick is not in the history."},
)

GET_MAP = Operation(
    "get",
    "/map",
    "The map of the sim, which never changes: names, positions, growth, lanes, homes",
    {200: Reply("The map: tables of rows.", _OBJECT, example=examples.MAP, headers=_CACHE_HEADERS), 304: _NOT_MODIFIED},
    parameters=(_IF_NONE_MATCH,),
)

GET_EVENTS = Operation(
    "get",
    "/events",
    "Events, oldest first",
    {200: Reply("A page of events.", EventPage, example=examples.EVENTS)},
    "A page may be empty although `more` is true, if no event in it matches. Continue after `next`.",
    parameters=(_AFTER, _FROM_TICK, *_EVENT_FILTER, _LIMIT),
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

POST_ORDERS = Operation(
    "post",
    "/orders",
    "Submit an order, or a list of up to 1,000",
    {
        202: Reply(
            "The order is in the log, as durable as /health states.",
            AcceptedOrder,
            example=examples.ACCEPTED,
        ),
        207: Reply("For a list: a result for each order, in the same sequence.", Results, example=examples.RESULTS),
    },
    "Each order of a list is accepted or rejected independently. The rules apply to an order when its tick runs:"
    " poll GET /orders/{order_id} for the result.",
    parameters=(_IDEMPOTENCY_KEY,),
    body={"anyOf": [{"$ref": "Order"}, _LIST]},
    example=examples.MOVE,
    problems={
        409: _SIM_FINISHED,
        415: _UNSUPPORTED_TYPE,
        422: "An invalid order, list, key or query (`errors` names the fields), or a key that another request has used.",
        429: _RATE_LIMITED,
    },
    token=True,
)

GET_ORDER = Operation(
    "get",
    "/orders/{order_id}",
    "The status of an order",
    {200: Reply("Pending, applied at a tick, or rejected with a reason.", OrderStatus, example=examples.STATUS)},
    parameters=(
        Parameter("order_id", "path", {"type": "string"}, "The id in the response to the order.", "1795595656593-0"),
        Parameter(
            "wait",
            "query",
            {"type": "string", "pattern": r"^([0-9]|[12][0-9])(s|\.[0-9]{1,3}s)?$|^[0-9]{1,4}ms$"},
            f"Wait until the order is applied or rejected, for at most this time. Maximum: {MAX_WAIT_S:.0f}s.",
            "2s",
        ),
    ),
    problems={404: "The sim does not exist, or its log does not contain the order."},
)

POST_FORK = Operation(
    "post",
    "/fork",
    "Request a sim that begins in the state of this one",
    {202: _REQUESTED},
    "A worker that serves all sims creates it. Requires a token of scope admin.",
    parameters=(Parameter("tick", "query", _TICK, "The tick of the state. Default: the newest.", 12), _IDEMPOTENCY_KEY),
    body=NewFork,
    example=examples.FORK,
    problems={409: "A sim with this id exists.", 415: _UNSUPPORTED_TYPE},
    token=True,
)

GET_SIMS = Operation(
    "get",
    "/sims",
    "List of sims",
    {200: Reply("A page of sims, by id.", SimPage, example=examples.SIMS)},
    of_sim=False,
    parameters=(
        Parameter(
            "after",
            "query",
            {"type": "string", "pattern": f"^{SIM_ID}$"},
            "The id after which to begin.",
            "default",
        ),
        _LIMIT,
    ),
)

POST_SIMS = Operation(
    "post",
    "/sims",
    "Request a new sim",
    {202: _REQUESTED},
    "A worker that serves all sims creates it. Requires a token of scope admin.",
    of_sim=False,
    parameters=(_IDEMPOTENCY_KEY,),
    body=NewSim,
    example=examples.SIM,
    problems={409: "A sim with this id exists.", 415: _UNSUPPORTED_TYPE},
    token=True,
)

GET_SIM = Operation(
    "get",
    "/sims/{sim_id}",
    "Details of a sim",
    {200: Reply("Its config, its position, and the range of available ticks.", SimDetails, example=examples.DETAILS)},
    of_sim=False,
    parameters=(
        Parameter("sim_id", "path", {"type": "string", "pattern": f"^{SIM_ID}$"}, "Id of the sim.", "default"),
    ),
    problems={404: "No such sim."},
)

GET_HEALTH = Operation(
    "get",
    "/health",
    "Health of the process",
    {
        200: Reply("The process is ready.", _OBJECT, example=examples.READY),
        503: _NOT_READY,
    },
    of_sim=False,
)

GET_LIVENESS = Operation(
    "get",
    "/health/live",
    "Liveness of the process",
    {200: Reply("The process is live.", _OBJECT, example=examples.LIVE)},
    of_sim=False,
)

GET_READINESS = Operation(
    "get",
    "/health/ready",
    "Readiness of the process",
    {200: Reply("The process is ready.", _OBJECT, example=examples.READY), 503: _NOT_READY},
    of_sim=False,
)

GET_METRICS = Operation(
    "get",
    "/metrics",
    "Metrics of the process",
    {200: Reply("Metrics in the text format of Prometheus.", {"type": "string"}, "text/plain", examples.METRICS)},
    of_sim=False,
)

GET_OPENAPI = Operation("get", "/openapi.json", "This document", {200: Reply("OpenAPI 3.1.", _OBJECT)}, of_sim=False)

OPERATIONS = (
    GET_SNAPSHOT,
    GET_MAP,
    GET_EVENTS,
    GET_EVENT_STREAM,
    POST_ORDERS,
    GET_ORDER,
    POST_FORK,
    GET_SIMS,
    POST_SIMS,
    GET_SIM,
    GET_HEALTH,
    GET_LIVENESS,
    GET_READINESS,
    GET_METRICS,
    GET_OPENAPI,
)
"""All operations. The page for people (/docs) is not one."""

MODELS = (
    AcceptedOrder,
    RequestedSim,
    EventPage,
    NewFork,
    NewSim,
    OrderStatus,
    Results,
    SimDetails,
    SimPage,
    Snapshot,
)
