"""Errors as RFC 9457 problem details: what happened, to which field, and what to do."""

import logging

import orjson
from pydantic import JsonValue, ValidationError
from redis.exceptions import RedisError
from sanic import HTTPResponse, Request
from sanic.exceptions import PayloadTooLarge, SanicException

from sector.models.frame import FrameError
from sector.process import App
from sector.state.errors import SimNotFound

log = logging.getLogger(__name__)

_TYPE = "application/problem+json"


class Problem(Exception):
    """An answer that is an error. `errors` lists each fault with its field and what is wrong with it."""

    def __init__(self, status: int, title: str, detail: str, errors: list[dict[str, str]] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.body: dict[str, JsonValue] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        if errors:
            self.body["errors"] = [dict(error) for error in errors]

    def response(self) -> HTTPResponse:
        headers = {"Retry-After": "1"} if self.status == 503 else None
        return HTTPResponse(orjson.dumps(self.body), self.status, headers, content_type=_TYPE)


def invalid(errors: list[dict[str, str]]) -> Problem:
    """Return the problem of a body that is JSON, but not what it must be."""
    detail = "; ".join(f"{error['field']}: {error['message']}" for error in errors)
    return Problem(422, "Not a valid order", detail, errors)


def faults_of(error: ValidationError, tags: frozenset[str]) -> list[dict[str, str]]:
    """Return field and message of each fault. `tags` are the union's, which are in pydantic's paths but not in the body."""
    faults = []
    for each in error.errors(include_url=False, include_input=False):
        path = [str(part) for part in each["loc"] if part not in tags]
        if each["type"] in ("union_tag_invalid", "union_tag_not_found"):
            path.append("type")
        faults.append({"field": ".".join(path) or "(body)", "message": each["msg"]})
    return faults


def install(app: App) -> None:
    """Make every error of `app` a problem."""

    @app.exception(Problem)
    async def problem(_: Request, error: Problem) -> HTTPResponse:
        return error.response()

    @app.exception(SimNotFound)
    async def not_founded(_: Request, error: SimNotFound) -> HTTPResponse:
        return Problem(503, "No such sim yet", f"{error}; a worker founds it").response()

    @app.exception(RedisError, FrameError, OSError)
    async def unavailable(_: Request, error: Exception) -> HTTPResponse:
        return Problem(503, "Redis is not available", f"{type(error).__name__}: {error}").response()

    @app.exception(PayloadTooLarge)
    async def too_large(request: Request, _: PayloadTooLarge) -> HTTPResponse:
        most = request.app.config.REQUEST_MAX_SIZE
        return Problem(413, "Body too large", f"a body may have {most} bytes").response()

    @app.exception(SanicException)
    async def other(_: Request, error: SanicException) -> HTTPResponse:
        status = error.status_code or 500
        return Problem(status, type(error).__name__, str(error)).response()

    @app.exception(Exception)
    async def unforeseen(request: Request, error: Exception) -> HTTPResponse:
        log.error("%s %s failed", request.method, request.path, exc_info=error)
        return Problem(500, "Internal error", "see the log of the API").response()
