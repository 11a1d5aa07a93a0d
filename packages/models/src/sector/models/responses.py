"""Request and response types of the HTTP API, for its clients and for its OpenAPI document."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from sector.models.config import SimConfig
from sector.models.deprecated_names import deprecated_names
from sector.models.events import Event, RejectReason
from sector.models.field_types import SimId

OrderId = Annotated[
    str, Field(pattern=r"^\d{1,18}-\d{1,18}$", description="Id of an order in the log.", examples=["1795595656593-0"])
]


class _Response(BaseModel):
    # A client must work with the next version of the server: it ignores unknown fields.
    model_config = ConfigDict(frozen=True, extra="ignore")


class FieldError(_Response):
    """The error of one field, query parameter, header or claim."""

    field: str
    message: str


class Problem(_Response):
    """An error (RFC 9457): what happened, and in which fields."""

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[FieldError, ...] = ()
    more_errors: int = Field(default=0, description="Number of errors that `errors` omits.")


class AcceptedOrder(_Response):
    """An order that is stored in the log with the configured durability."""

    id: OrderId
    status: Literal["pending"]


class Result(_Response):
    """The result of one order of a list: `id` if it was accepted, otherwise `problem`."""

    status: int
    id: OrderId | None = None
    problem: Problem | None = None


class Results(_Response):
    """The results of a list of orders, in the same order."""

    results: tuple[Result, ...]


class OrderStatus(_Response):
    """The status of an order.

    `tick` and `at_ms`: when it was applied or rejected. `reason` and `detail`: why it was rejected. `events`: its
    effects.
    """

    id: OrderId
    status: Literal["pending", "applied", "rejected"]
    tick: int | None = None
    at_ms: int | None = None
    reason: RejectReason | None = None
    detail: str | None = None
    events: tuple[Event, ...]


class EventPage(_Response):
    """A page of events, oldest first.

    `next`: the `after` of the next page. `more`: whether that page has events already.
    """

    events: tuple[Event, ...]
    next: str
    more: bool


TickLength = Annotated[
    int | None,
    Field(
        description="Time between ticks in milliseconds, as set by the worker of the sim. 0: as fast as possible. A tick may be"
        " late. null before the first tick.",
        examples=[500],
    ),
]


class SimSummary(_Response):
    """A sim in a list of sims. A sim that is being created (`founding`) has no tick yet."""

    id: SimId
    status: Literal["founding", "running", "finished"]
    tick: int | None = None
    at_ms: int | None = None
    tick_length_ms: TickLength = None


class SimPage(_Response):
    """A page of sims, sorted by id. `more`: whether other sims follow."""

    sims: tuple[SimSummary, ...]
    more: bool


class SimDetails(_Response):
    """A sim. `first_tick`: the first tick that is stored. `detail`: why a requested sim could not be created."""

    id: SimId
    status: Literal["founding", "failed", "running", "finished"]
    tick: int | None = None
    at_ms: int | None = None
    tick_length_ms: TickLength = None
    state_hash: str | None = None
    first_tick: int | None = None
    keyframes: tuple[int, ...] = ()
    config: SimConfig | None = None
    detail: str | None = None


class RequestedSim(_Response):
    """A requested sim. A worker that serves all sims creates it."""

    id: SimId
    status: Literal["founding"]


class NewSim(BaseModel):
    """A sim to create. Omitted fields of `config` have their defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: SimId
    config: SimConfig = Field(default=SimConfig())


class NewFork(BaseModel):
    """The id of a fork."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: SimId


class Columns(_Response):
    """A snapshot in columns: each table has one list per field, instead of one object per row."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, dict[str, list[JsonValue]]]

    sim: SimId
    tick: int
    at_ms: int | None
    status: Literal["running", "finished"]
    winner: str | None
    state_hash: str


__getattr__ = deprecated_names(__name__, {"Accepted": "AcceptedOrder", "AskedFor": "RequestedSim"})
