"""Errors as RFC 9457 problem details: what happened, to which field, and what to do."""

import logging
from http import HTTPStatus

import orjson
from pydantic import JsonValue, ValidationError
from redis.exceptions import RedisError
from sanic import HTTPResponse, Request
from sanic.exceptions import PayloadTooLarge, SanicException

from sector.models.frame import FrameError
from sector.process import App
from sector.state.errors import HistoryBroken, HistoryGone, NotDurable, SimNotFound
from sector.state.faults import describe

log = logging.getLogger(__name__)

_TYPE = "application/problem+json"


class Problem(Exception):
    """An answer that is an error. `errors` lists each fault with its field and what is wrong with it."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        errors: list[dict[str, str]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers or ({"Retry-After": "1"} if status == 503 else {})
        self.body: dict[str, JsonValue] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        if errors:
            self.body["errors"] = [dict(error) for error in errors]

    def response(self) -> HTTPResponse:
        return HTTPResponse(orjson.dumps(self.body), self.status, self.headers, content_type=_TYPE)


def invalid(errors: list[dict[str, str]]) -> Problem:
    """Return the problem of a body that is JSON, but not what it must be."""
    detail = "; ".join(f"{error['field']}: {error['message']}" for error in errors)
    return Problem(422, "Not a valid order", detail, errors)


def invalid_query(name: str, message: str) -> Problem:
    """Return the problem of a query parameter."""
    return Problem(422, "Not a valid query", f"{name}: {message}", [{"field": name, "message": message}])


def faults_of(error: ValidationError, tags: frozenset[str]) -> list[dict[str, str]]:
    """Return field and message of each fault. `tags` are the union's, with which pydantic's paths begin."""
    faults = []
    for each in error.errors(include_url=False, include_input=False):
        path = [str(part) for part in each["loc"]]
        if path and path[0] in tags:
            del path[0]
        message = each["msg"]
        match each["type"]:
            case "union_tag_not_found":
                path, message = [*path, "type"], f"Field required, one of {', '.join(sorted(tags))}"
            case "union_tag_invalid":
                path, message = [*path, "type"], f"Input should be one of {', '.join(sorted(tags))}"
            case "model_attributes_type" | "model_type":
                message = "An order is a JSON object"
        faults.append({"field": ".".join(path) or "(body)", "message": message})
    return faults


def install(app: App) -> None:
    """Make every error of `app` a problem."""

    @app.exception(Problem)
    async def problem(_: Request, error: Problem) -> HTTPResponse:
        return error.response()

    @app.exception(SimNotFound)
    async def not_founded(_: Request, error: SimNotFound) -> HTTPResponse:
        return Problem(503, "No such sim yet", f"{error}; a worker founds it").response()

    @app.exception(NotDurable)
    async def not_durable(_: Request, error: NotDurable) -> HTTPResponse:
        ids = ", ".join(error.order_ids)
        detail = f"{error}. What was ordered is in the log all the same, as {ids}, and may be lost again"
        return Problem(503, "Not durable", detail).response()

    @app.exception(RedisError, OSError)
    async def unavailable(_: Request, error: RedisError | OSError) -> HTTPResponse:
        detail = f"{describe(error)} ({type(error).__name__}: {error})"
        return Problem(503, "Redis is not available", detail).response()

    @app.exception(FrameError, HistoryGone, HistoryBroken)
    async def unreadable(_: Request, error: FrameError | HistoryGone | HistoryBroken) -> HTTPResponse:
        return Problem(503, "The sim is not readable", str(error)).response()

    @app.exception(PayloadTooLarge)
    async def too_large(request: Request, _: PayloadTooLarge) -> HTTPResponse:
        most = request.app.config.REQUEST_MAX_SIZE
        return Problem(413, "Body too large", f"a body may have {most} bytes").response()

    @app.exception(SanicException)
    async def other(_: Request, error: SanicException) -> HTTPResponse:
        status = error.status_code or 500
        headers = {name: str(value) for name, value in error.headers.items()}
        return Problem(status, HTTPStatus(status).phrase, str(error), headers=headers).response()

    @app.exception(Exception)
    async def unforeseen(request: Request, error: Exception) -> HTTPResponse:
        log.error("%s %s failed", request.method, request.path, exc_info=error)
        return Problem(500, "Internal error", "see the log of the API").response()
