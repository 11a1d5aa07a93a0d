"""Types that declare an operation of the API: its route, and its part of the OpenAPI document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, JsonValue

type Schema = Mapping[str, JsonValue]
type Body = type[BaseModel] | Schema


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


@dataclass(frozen=True, slots=True, eq=False)
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
