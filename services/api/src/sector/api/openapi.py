"""GET /openapi.json: the OpenAPI 3.1 document, generated from the operations and the types in sector.models."""

import argparse
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version

import orjson
from pydantic import BaseModel, JsonValue, TypeAdapter
from pydantic.json_schema import models_json_schema
from sanic import Request

from sector.api.operation import Body, Operation, Parameter, Reply
from sector.api.operations import MODELS, OPERATIONS
from sector.api.responses import Response
from sector.models import ORDER
from sector.models.field_types import SIM_ID
from sector.models.responses import Columns, Problem

_INDENTED = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
_REF = "#/components/schemas/{model}"
_COMMON_PROBLEMS: Mapping[int, str] = {
    400: "Invalid HTTP, or a body that is not JSON.",
    404: "No such sim.",
    408: "The request did not arrive in time.",
    413: "The body is too large.",
    417: "An Expect header other than 100-continue.",
    422: "An invalid query parameter or field; `errors` names it.",
    429: "Too many requests of this token or address. See Retry-After.",
    431: "The headers are too large.",
    500: "An internal error of the API.",
    503: "Redis or the sim is not available, or too many reads of the history are pending. See Retry-After.",
}
_TOKEN_PROBLEMS: Mapping[int, str] = {
    401: "A missing or invalid token. WWW-Authenticate has the reason.",
    403: "The token is not for this sim, faction or scope.",
}
_HEADERS: Mapping[str, str] = {
    "ETag": "A strong tag of the state in this format.",
    "Cache-Control": "no-cache: revalidate each time, with the ETag.",
    "Vary": "The request headers that the response depends on.",
    "Location": "Where to poll the status, relative to the URL of the request.",
}
_SIM = Parameter("sim_id", "path", {"type": "string", "pattern": f"^{SIM_ID}$"}, "Id of the sim.", "default")


def document(*, tokens: bool) -> dict[str, JsonValue]:
    """Return the document. `tokens` is whether orders need a token."""
    paths: dict[str, dict[str, JsonValue]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation, operation.path, tokens=tokens)
        if operation.of_sim:
            path = f"/sims/{{sim_id}}{operation.path}"
            paths.setdefault(path, {})[operation.method] = _operation(operation, path, _SIM, tokens=tokens)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sector",
            "version": _version(),
            "summary": "A persistent strategy world: read its state, and submit orders.",
            "description": "Paths without /sims/{sim_id} are those of the own sim of this API. Errors are problem details (RFC 9457)."
            " A body is JSON. Its Content-Type may also be text/plain, which fetch of a browser sends, or"
            " application/x-www-form-urlencoded, which curl sends. Reading needs no token. Operations with a security scheme"
            " need one. If OPERATOR_PORT is set, /health and /metrics are only at that port.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "."}],
        "paths": dict(paths),
        "components": {
            "schemas": dict(_SCHEMAS),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


class OpenApiEndpoint:
    """Serves the document."""

    def __init__(self, *, tokens: bool) -> None:
        self._body = orjson.dumps(document(tokens=tokens))

    async def get(self, _: Request) -> Response:
        """Answer with the document."""
        return Response(self._body)


def main(arguments: Sequence[str]) -> int:
    """Print the document (`sector-api openapi`); returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="sector-api openapi",
        description="Prints the OpenAPI 3.1 document of the API, as /openapi.json has it. Redis is not required.",
        epilog="example: sector-api openapi > openapi.json",
    )
    parser.add_argument("--open", action="store_true", help="print the document of an API without authentication")
    given = parser.parse_args(arguments)
    sys.stdout.buffer.write(orjson.dumps(document(tokens=not given.open), option=_INDENTED))
    return 0


def _version() -> str:
    try:
        return version("sector-api")
    except PackageNotFoundError:
        # The process runs from the repository.
        return "0"


def _schemas() -> dict[str, JsonValue]:
    _, output = models_json_schema(
        [(model, "serialization") for model in (*MODELS, Problem, Columns)], ref_template=_REF
    )
    schemas: dict[str, JsonValue] = dict(output["$defs"])
    order = TypeAdapter(ORDER._type).json_schema(ref_template=_REF)  # noqa: SLF001
    schemas |= order.pop("$defs")
    schemas["Order"] = order
    # Request bodies have the schema of validation, not that of serialization.
    _, request_schemas = models_json_schema([(model, "validation") for model in _request_bodies()], ref_template=_REF)
    return schemas | dict(request_schemas["$defs"])


def _request_bodies() -> Iterator[type[BaseModel]]:
    for operation in OPERATIONS:
        if isinstance(operation.body, type):
            yield operation.body


# Created on import, so that processes that are forked later share it.
_SCHEMAS: Mapping[str, JsonValue] = _schemas()


def _operation(operation: Operation, path: str, *more: Parameter, tokens: bool) -> dict[str, JsonValue]:
    name = re.sub(r"[/.{}]+", "_", path).rstrip("_")
    described: dict[str, JsonValue] = {
        "operationId": f"{operation.method}{name}",
        "summary": operation.summary,
        "parameters": [_parameter(each) for each in (*more, *operation.parameters)],
        "responses": _responses(operation, tokens=tokens),
    }
    if operation.description:
        described["description"] = operation.description
    if operation.body is not None:
        content: JsonValue = {"schema": _schema(operation.body), "examples": {"one": {"value": operation.example}}}
        described["requestBody"] = {"required": True, "content": {"application/json": content}}
    if operation.token and tokens:
        described["security"] = [{"token": []}]
    return described


def _parameter(parameter: Parameter) -> dict[str, JsonValue]:
    return {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.where == "path",
        "description": parameter.description,
        "schema": dict(parameter.schema),
        "example": parameter.example,
    }


def _responses(operation: Operation, *, tokens: bool) -> dict[str, JsonValue]:
    problems = {**_COMMON_PROBLEMS, **(_TOKEN_PROBLEMS if operation.token and tokens else {}), **operation.problems}
    responses: dict[str, JsonValue] = {
        str(status): _problem(status, description) for status, description in problems.items()
    }
    return responses | {str(status): _reply(reply) for status, reply in operation.replies.items()}


def _reply(reply: Reply) -> JsonValue:
    response: dict[str, JsonValue] = {"description": reply.description}
    if reply.body is not None:
        content: dict[str, JsonValue] = {"schema": _schema(reply.body)}
        if reply.example is not None:
            content["example"] = reply.example
        response["content"] = {reply.kind: content}
    if reply.headers:
        response["headers"] = {
            name: {"description": _HEADERS[name], "schema": {"type": "string"}} for name in reply.headers
        }
    return response


def _problem(status: int, description: str) -> JsonValue:
    example: JsonValue = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": description,
    }
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": {"$ref": _REF.format(model="Problem")}, "example": example}},
    }


def _schema(body: Body) -> JsonValue:
    return {"$ref": _REF.format(model=body.__name__)} if isinstance(body, type) else _resolved(dict(body))


def _resolved(schema: JsonValue) -> JsonValue:
    """Replace the names of components with references to them."""
    if isinstance(schema, dict):
        return {
            name: _REF.format(model=value) if name == "$ref" else _resolved(value) for name, value in schema.items()
        }
    return [_resolved(each) for each in schema] if isinstance(schema, list) else schema
