"""What can be asked of the API, for what it says of itself: each operation, its parameters, and all that it may answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, JsonValue

from sector.api import examples
from sector.api.encoded_views import FORMATS
from sector.api.events import KINDS, MAX_LIMIT
from sector.api.order_status import LONGEST_WAIT_S
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

type Schema = Mapping[str, JsonValue]
type Body = type[BaseModel] | Schema

_OBJECT: Schema = {"type": "object"}
_TICK: Schema = {"type": "integer", "minimum": 0, "maximum": 2**53}
_EVENT_ID: Schema = {"type": "string", "pattern": r"^[0-9]{1,15}-[0-9]{1,9}$"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One that is not required, unless it stands in the path."""

    name: str
    where: Literal["query", "path", "header"]
    schema: Schema
    description: str
    example: JsonValue


@dataclass(frozen=True, slots=True)
class Reply:
    """One that is a success. `kind`: its content type; `body` None: it has none."""

    description: str
    body: Body | None = None
    kind: str = "application/json"
    example: JsonValue = None
    headers: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. `of_sim`: it is there for the own sim, and for each under `/sims/{sim_id}`.

    `problems`: by status, beside those that any request may be answered with.
    """

    method: Literal["get", "post"]
    path: str
    summary: str
    replies: Mapping[int, Reply]
    description: str = ""
    of_sim: bool = True
    parameters: Sequence[Parameter] = ()
    body: Body | None = None
    example: JsonValue = None
    problems: Mapping[int, str] = field(default_factory=dict)
    token: bool = False


_SEEN = Parameter(
    "If-None-Match",
    "header",
    {"type": "string"},
    "The ETag of what you have; 304 while it is the same.",
    '"5f3b2c-rows"',
)
_KEY = Parameter(
    "Idempotency-Key",
    "header",
    {"type": "string", "pattern": r"^[\x21-\x7e]{1,255}$"},
    "A key of your choice. The same request under the same key is carried out once, and answered alike for 24 hours.",
    "7b0b2f5e",
)
_WANTED = (
    Parameter(
        "type",
        "query",
        {"type": "string", "pattern": f"^({'|'.join(sorted(KINDS))})(,({'|'.join(sorted(KINDS))}))*$"},
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
    "maxItems": 1000,
}
_AFTER = Parameter("after", "query", _EVENT_ID, "The event after which to begin. Not together with tick.", "12-0")
_FROM_TICK = Parameter("tick", "query", _TICK, "The tick to begin with. Not together with after.", 12)
_LIMIT = Parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}, "How many at most.", 100)
_FRESH = ("ETag", "Cache-Control", "Vary")
_STATE: Schema = {"anyOf": [{"$ref": "Snapshot"}, {"$ref": "Columns"}]}
_ASKED_FOR = Reply("It is asked for.", RequestedSim, example=examples.ASKED_FOR, headers=("Location",))
_UNREADY = Reply("It cannot, and says why.", _OBJECT, example=examples.UNREADY)
_UNCHANGED = Reply("It is what you have.", headers=_FRESH)
_LIMITED = "Too fast for this token or address, or the worker is behind; Retry-After says when to try again."
_TOO_LATE = "The sim is finished."
_UNSUITABLE = "A body that is of no JSON type (Accept names one), or has a Content-Encoding."

OPERATIONS = (
    Operation(
        "get",
        "/snapshot",
        "The state of the sim",
        {
            200: Reply("The state.", _STATE, example=examples.SNAPSHOT, headers=_FRESH),
            304: _UNCHANGED,
        },
        "Encoded once a tick for everybody, as zstd, br or gzip where Accept-Encoding likes it, with a strong ETag each.",
        parameters=(
            Parameter(
                "format",
                "query",
                {"type": "string", "enum": [each for each in FORMATS if each != "map"]},
                "rows: an object each. columns: a list for each field, which takes half the room.",
                "rows",
            ),
            Parameter(
                "tick", "query", _TICK, "The state at an earlier tick; GET /sims/{sim_id} tells which are kept.", 12
            ),
            _SEEN,
        ),
        problems={404: "No such sim, or the tick is not kept."},
    ),
    Operation(
        "get",
        "/map",
        "What never changes of the sim: names, places, growth, lanes, homes",
        {200: Reply("The map: tables of rows.", _OBJECT, example=examples.MAP, headers=_FRESH), 304: _UNCHANGED},
        parameters=(_SEEN,),
    ),
    Operation(
        "get",
        "/events",
        "What happened, oldest first",
        {200: Reply("A page of it.", EventPage, example=examples.EVENTS)},
        "A page may be empty though more is true: then so much was looked through. Go on after next.",
        parameters=(_AFTER, _FROM_TICK, *_WANTED, _LIMIT),
    ),
    Operation(
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
            *_WANTED,
            Parameter("Last-Event-ID", "header", _EVENT_ID, "As after; it goes before it. Empty: none.", "12-0"),
            Parameter("lastEventId", "query", _EVENT_ID, "As Last-Event-ID, for clients that cannot send it.", "12-0"),
        ),
    ),
    Operation(
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
        parameters=(_KEY,),
        body={"anyOf": [{"$ref": "Order"}, _LIST]},
        example=examples.MOVE,
        problems={
            409: _TOO_LATE,
            415: _UNSUITABLE,
            422: "Not a valid order, list, key or query: errors name the fields. Or the key came with another request.",
            429: _LIMITED,
        },
        token=True,
    ),
    Operation(
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
                f"Answer as soon as it is known, or after so long; {LONGEST_WAIT_S:.0f}s at most.",
                "2s",
            ),
        ),
        problems={404: "No such sim, or no such order in its log (any more)."},
    ),
    Operation(
        "post",
        "/fork",
        "Ask for a sim that begins where this one was",
        {202: _ASKED_FOR},
        "A worker that serves all sims founds it. This takes a token of scope admin.",
        parameters=(Parameter("tick", "query", _TICK, "Where it begins; by default now.", 12), _KEY),
        body=NewFork,
        example=examples.FORK,
        problems={409: "There is a sim of that id.", 415: _UNSUITABLE},
        token=True,
    ),
    Operation(
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
    ),
    Operation(
        "post",
        "/sims",
        "Ask for a new sim",
        {202: _ASKED_FOR},
        "A worker that serves all sims founds it. This takes a token of scope admin.",
        of_sim=False,
        parameters=(_KEY,),
        body=NewSim,
        example=examples.SIM,
        problems={409: "There is a sim of that id.", 415: _UNSUITABLE},
        token=True,
    ),
    Operation(
        "get",
        "/sims/{sim_id}",
        "What there is to know of a sim",
        {200: Reply("Its config, where it is, and which ticks are kept.", SimDetails, example=examples.DETAILS)},
        of_sim=False,
        parameters=(
            Parameter("sim_id", "path", {"type": "string", "pattern": f"^{SIM_ID}$"}, "Id of the sim.", "default"),
        ),
        problems={404: "No such sim."},
    ),
    Operation(
        "get",
        "/health",
        "How this process is",
        {
            200: Reply("It can do its work.", _OBJECT, example=examples.READY),
            503: _UNREADY,
        },
        of_sim=False,
    ),
    Operation(
        "get",
        "/health/live",
        "Whether it answers",
        {200: Reply("It does.", _OBJECT, example=examples.LIVE)},
        of_sim=False,
    ),
    Operation(
        "get",
        "/health/ready",
        "Whether it can do its work",
        {200: Reply("It can.", _OBJECT, example=examples.READY), 503: _UNREADY},
        of_sim=False,
    ),
    Operation(
        "get",
        "/metrics",
        "What this process counted",
        {200: Reply("Metrics, as Prometheus reads them.", {"type": "string"}, "text/plain", examples.METRICS)},
        of_sim=False,
    ),
    Operation("get", "/openapi.json", "This document", {200: Reply("OpenAPI 3.1.", _OBJECT)}, of_sim=False),
)
"""All of them. Pages for people (/docs) are not among them."""

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
