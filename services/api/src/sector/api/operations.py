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
    "The ETag of what you have; 304 while it is the same.",
    '"5f3b2c-rows"',
)
_IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    "header",
    {"type": "string", "pattern": r"^[\x21-\x7e]{1,255}$"},
    "A key of your choice. The same request under the same key is carried out once, and answered alike for 24 hours.",
    "7b0b2f5e",
)
_EVENT_FILTER = (
    Parameter(
        "type",
        "query",
        {"type": "string", "pattern": f"^({'|'.join(sorted(EVENT_TYPES))})(,({'|'.join(sorted(EVENT_TYPES))}))*$"},
        "Events of these types only; several with commas.",
        "battle,system_captured",
    ),
    Parameter(
        "faction", "query", {"type": "string", "pattern": f"^{FACTION_ID}$"}, "Events that concern it only.", "Aurora"
    ),
)
_LIST: JsonValue = {
    "type": "array",
    # Anything: what is no order is refused by itself.
    "items": {"anyOf": [{"$ref": "Order"}, {}]},
    "minItems": 1,
    "maxItems": MAX_ORDERS,
}
_AFTER = Parameter("after", "query", _EVENT_ID, "The event after which to begin. Not together with tick.", "12-0")
_FROM_TICK = Parameter("tick", "query", _TICK, "The tick to begin with. Not together with after.", 12)
_LIMIT = Parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}, "How many at most.", 100)
_CACHE_HEADERS = ("ETag", "Cache-Control", "Vary")
_STATE: Schema = {"anyOf": [{"$ref": "Snapshot"}, {"$ref": "Columns"}]}
_REQUESTED = Reply("It is asked for.", RequestedSim, example=examples.ASKED_FOR, headers=("Location",))
_NOT_READY = Reply("It cannot, and says why.", _OBJECT, example=examples.UNREADY)
_NOT_MODIFIED = Reply("It is what you have.", headers=_CACHE_HEADERS)
_RATE_LIMITED = "Too fast for this token or address, or the worker is behind; Retry-After says when to try again."
_SIM_FINISHED = "The sim is finished."
_UNSUPPORTED_TYPE = "A body that is of no JSON type (Accept names one), or has a Content-Encoding."

GET_SNAPSHOT = Operation(
    "get",
    "/snapshot",
    "The state of the sim",
    {
        200: Reply("The state.", _STATE, example=examples.SNAPSHOT, headers=_CACHE_HEADERS),
        304: _NOT_MODIFIED,
    },
    "Encoded once a tick for everybody, as zstd, br or gzip where Accept-Encoding likes it, with a strong ETag each.",
    parameters=(
        Parameter(
            "format",
            "query",
            {"type": "string", "enum": list(SNAPSHOT_FORMATS)},
            "rows: an object each. columns: a list for each field, which takes half the room.",
            "rows",
        ),
        Parameter("tick", "query", _TICK, "The state at an earlier tick; GET /sims/{sim_id} tells which are kept.", 12),
        _IF_NONE_MATCH,
    ),
    problems={404: "No such sim, or the tick is not kept."},
)

GET_MAP = Operation(
    "get",
    "/map",
    "What never changes of the sim: names, places, growth, lanes, homes",
    {200: Reply("The map: tables of rows.", _OBJECT, example=examples.MAP, headers=_CACHE_HEADERS), 304: _NOT_MODIFIED},
    parameters=(_IF_NONE_MATCH,),
)

GET_EVENTS = Operation(
    "get",
    "/events",
    "What happened, oldest first",
    {200: Reply("A page of it.", EventPage, example=examples.EVENTS)},
    "A page may be empty though more is true: then so much was looked through. Go on after next.",
    parameters=(_AFTER, _FROM_TICK, *_EVENT_FILTER, _LIMIT),
)

GET_EVENT_STREAM = Operation(
    "get",
    "/events/stream",
    "What happens, as it happens",
    {
        200: Reply(
            "Server-sent events: `event` is the type, `id` the id, `data` the event as in a page.",
            {"type": "string"},
            "text/event-stream",
            examples.STREAM,
        )
    },
    "Without after and tick it begins now, with an id to resume from if it breaks before the first event. "
    "A comment is a sign of life. `gap`: what came between is kept no longer. "
    "`tick`: all events of a tick were sent; it comes after each tick, also one without events. "
    "`dropped`: you read too slowly. `reconnect`: this server ends; come again, with Last-Event-ID.",
    parameters=(
        _AFTER,
        _FROM_TICK,
        *_EVENT_FILTER,
        Parameter("Last-Event-ID", "header", _EVENT_ID, "As after; it goes before it. Empty: none.", "12-0"),
        Parameter("lastEventId", "query", _EVENT_ID, "As Last-Event-ID, for clients that cannot send it.", "12-0"),
    ),
)

POST_ORDERS = Operation(
    "post",
    "/orders",
    "Give an order, or up to 1,000",
    {
        202: Reply(
            "It is in the log, and nothing that dies can lose it, as far as /health promises.",
            AcceptedOrder,
            example=examples.ACCEPTED,
        ),
        207: Reply("Of a list: a result for each, in its order.", Results, example=examples.RESULTS),
    },
    "Of a list each order is taken or refused by itself. What an order does, the rules decide in its turn:"
    " GET /orders/{order_id} tells.",
    parameters=(_IDEMPOTENCY_KEY,),
    body={"anyOf": [{"$ref": "Order"}, _LIST]},
    example=examples.MOVE,
    problems={
        409: _SIM_FINISHED,
        415: _UNSUPPORTED_TYPE,
        422: "Not a valid order, list, key or query: errors name the fields. Or the key came with another request.",
        429: _RATE_LIMITED,
    },
    token=True,
)

GET_ORDER = Operation(
    "get",
    "/orders/{order_id}",
    "What became of an order",
    {200: Reply("Pending, applied at a tick, or rejected and why.", OrderStatus, example=examples.STATUS)},
    parameters=(
        Parameter("order_id", "path", {"type": "string"}, "Its id, as it was accepted.", "1795595656593-0"),
        Parameter(
            "wait",
            "query",
            {"type": "string", "pattern": r"^([0-9]|[12][0-9])(s|\.[0-9]{1,3}s)?$|^[0-9]{1,4}ms$"},
            f"Answer as soon as it is known, or after so long; {MAX_WAIT_S:.0f}s at most.",
            "2s",
        ),
    ),
    problems={404: "No such sim, or no such order in its log (any more)."},
)

POST_FORK = Operation(
    "post",
    "/fork",
    "Ask for a sim that begins where this one was",
    {202: _REQUESTED},
    "A worker that serves all sims founds it. This takes a token of scope admin.",
    parameters=(Parameter("tick", "query", _TICK, "Where it begins; by default now.", 12), _IDEMPOTENCY_KEY),
    body=NewFork,
    example=examples.FORK,
    problems={409: "There is a sim of that id.", 415: _UNSUPPORTED_TYPE},
    token=True,
)

GET_SIMS = Operation(
    "get",
    "/sims",
    "Which sims there are",
    {200: Reply("A page of them, by id.", SimPage, example=examples.SIMS)},
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
    "Ask for a new sim",
    {202: _REQUESTED},
    "A worker that serves all sims founds it. This takes a token of scope admin.",
    of_sim=False,
    parameters=(_IDEMPOTENCY_KEY,),
    body=NewSim,
    example=examples.SIM,
    problems={409: "There is a sim of that id.", 415: _UNSUPPORTED_TYPE},
    token=True,
)

GET_SIM = Operation(
    "get",
    "/sims/{sim_id}",
    "What there is to know of a sim",
    {200: Reply("Its config, where it is, and which ticks are kept.", SimDetails, example=examples.DETAILS)},
    of_sim=False,
    parameters=(
        Parameter("sim_id", "path", {"type": "string", "pattern": f"^{SIM_ID}$"}, "Id of the sim.", "default"),
    ),
    problems={404: "No such sim."},
)

GET_HEALTH = Operation(
    "get",
    "/health",
    "How this process is",
    {
        200: Reply("It can do its work.", _OBJECT, example=examples.READY),
        503: _NOT_READY,
    },
    of_sim=False,
)

GET_LIVENESS = Operation(
    "get",
    "/health/live",
    "Whether it answers",
    {200: Reply("It does.", _OBJECT, example=examples.LIVE)},
    of_sim=False,
)

GET_READINESS = Operation(
    "get",
    "/health/ready",
    "Whether it can do its work",
    {200: Reply("It can.", _OBJECT, example=examples.READY), 503: _NOT_READY},
    of_sim=False,
)

GET_METRICS = Operation(
    "get",
    "/metrics",
    "What this process counted",
    {200: Reply("Metrics, as Prometheus reads them.", {"type": "string"}, "text/plain", examples.METRICS)},
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
