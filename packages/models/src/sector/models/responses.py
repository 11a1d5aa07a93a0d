"""Requests and responses of the HTTP API, as types: for its clients, and for its OpenAPI document."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from sector.models.config import SimConfig
from sector.models.events import Event, RejectReason
from sector.models.field_types import SimId

OrderId = Annotated[
    str, Field(pattern=r"^\d{1,18}-\d{1,18}$", description="Id of an order in the log.", examples=["1795595656593-0"])
]


class _Response(BaseModel):
    # A client must work with the next version of the server: it ignores unknown fields.
    model_config = ConfigDict(frozen=True, extra="ignore")


class FieldError(_Response):
    """What is wrong with one field, query parameter, header or claim."""

    field: str
    message: str


class Problem(_Response):
    """An error (RFC 9457): what happened, and to which field."""

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[FieldError, ...] = ()
    more_errors: int = Field(default=0, description="How many errors were found that `errors` does not list.")


class Accepted(_Response):
    """An order that is in the log, and can be lost no more (as far as the durability asked for)."""

    id: OrderId
    status: Literal["pending"]


class Result(_Response):
    """What became of one order of a list: `id` where it was accepted, `problem` where not."""

    status: int
    id: OrderId | None = None
    problem: Problem | None = None


class Results(_Response):
    """A result for each order of a list, in its order."""

    results: tuple[Result, ...]


class OrderStatus(_Response):
    """What became of an order: `tick` and `at_ms` say when, `reason` and `detail` why it was rejected, `events` what came of it."""

    id: OrderId
    status: Literal["pending", "applied", "rejected"]
    tick: int | None = None
    at_ms: int | None = None
    reason: RejectReason | None = None
    detail: str | None = None
    events: tuple[Event, ...]


class EventPage(_Response):
    """Events, oldest first. `next`: the `after` of the next page; `more`: it has some already."""

    events: tuple[Event, ...]
    next: str
    more: bool


TickLength = Annotated[
    int | None,
    Field(
        description="Milliseconds from one tick to the next, as the sim's worker is configured; 0: as fast as it can. A tick may be late."
        " null before the first tick.",
        examples=[500],
    ),
]


class SimSummary(_Response):
    """A sim in the list. One that is being founded has no tick yet."""

    id: SimId
    status: Literal["founding", "running", "finished"]
    tick: int | None = None
    at_ms: int | None = None
    tick_length_ms: TickLength = None


class SimPage(_Response):
    """Sims, by id. `more`: others follow after the last one."""

    sims: tuple[SimSummary, ...]
    more: bool


class SimDetails(_Response):
    """A sim. `first_tick`: from there on each tick is kept; `detail`: why one that was asked for could not be had."""

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


class AskedFor(_Response):
    """A sim that was asked for; a worker that serves all sims founds it."""

    id: SimId
    status: Literal["founding"]


class NewSim(BaseModel):
    """A sim to be founded. What `config` does not say is as by default."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: SimId
    config: SimConfig = Field(default=SimConfig())


class NewFork(BaseModel):
    """What a fork is to be called."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: SimId


class Columns(_Response):
    """A snapshot as columns: as one of rows, but each table has a list for each field."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, dict[str, list[JsonValue]]]

    sim: SimId
    tick: int
    at_ms: int | None
    status: Literal["running", "finished"]
    winner: str | None
    state_hash: str
