"""Types that declare an operation of the API: its route, and its part of the OpenAPI document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, JsonValue

type Schema = Mapping[str, JsonValue]
type Body = type[BaseModel] | Schema


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter. It is required only if it is in the path."""

    name: str
    where: Literal["query", "path", "header"]
    schema: Schema
    description: str
    example: JsonValue


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful response. `kind` is its content type."""

    description: str
    body: Body | None = None
    kind: str = "application/json"
    example: JsonValue = None
    headers: Sequence[str] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """A method of a path. With `of_sim`, the path is that of the own sim, and `/sims/{sim_id}` before it that of any sim.

    `problems` describes the error responses by status, except those that all operations have.
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
