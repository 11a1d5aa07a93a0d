"""Error handlers: which exception becomes which response."""

import logging
import math
from http import HTTPStatus

from redis.exceptions import RedisError
from sanic import HTTPResponse, Request
from sanic.exceptions import SanicException

from sector.api.access_log import trace_field
from sector.api.problems import ApiError
from sector.api.response_finalizer import ResponseFinalizer
from sector.models.delta import DeltaError
from sector.models.frame import FrameError
from sector.process import App
from sector.process.fair_queue import FairQueueFull
from sector.process.http_errors import describe_http_error
from sector.process.request_limits import TooManyRequests
from sector.state.errors import (
    HistoryBroken,
    HistoryGone,
    IdempotencyConflict,
    NotDurable,
    QueueFull,
    RateLimited,
    ResponseDamaged,
    SimAlreadyFinished,
    SimExists,
    SimNotFound,
    StateError,
    StorageFull,
    TooManySims,
)
from sector.state.redis.error_messages import describe

log = logging.getLogger(__name__)


def to_api_error(error: Exception) -> ApiError | None:
    """Return the response to an error of a known kind; None for any other error."""
    match error:
        case ApiError():
            return error
        case SimNotFound():
            return ApiError(404, "The sim does not exist", str(error))
        case SimExists():
            return ApiError(409, "The sim exists", str(error))
        case SimAlreadyFinished():
            return ApiError(409, "The sim is finished", str(error))
        case IdempotencyConflict():
            return ApiError(
                422, "Idempotency key reused", str(error), [{"field": "Idempotency-Key", "message": str(error)}]
            )
        case ResponseDamaged():
            return ApiError(422, "Idempotency key damaged", str(error))
        case RateLimited():
            wait_s = math.ceil(error.retry_after_s)
            return ApiError(
                429, "Too many orders", f"{error}: try again in {wait_s} s", headers={"Retry-After": str(wait_s)}
            )
        case TooManyRequests():
            wait_s = math.ceil(error.retry_after_s)
            detail = f"{error}: try again in {wait_s} s"
            return ApiError(429, "Too many requests", detail, headers={"Retry-After": str(wait_s)})
        case FairQueueFull():
            return ApiError(503, "Too many reads of history", f"{error}: try again in 1 s")
        case QueueFull():
            detail = f"{error}: try again in 1 s"
            return ApiError(429, "Too many pending orders", detail, headers={"Retry-After": "1"})
        case StorageFull():
            # Older history is dropped within seconds: that makes room, unless something else uses the memory.
            return ApiError(503, "Storage is full", f"{error}: try again in 5 s", headers={"Retry-After": "5"})
        case TooManySims():
            return ApiError(403, "Sim limit reached", str(error))
        case NotDurable():
            ids = ", ".join(error.order_ids)
            detail = f"{error}. The orders {ids} are in the log, but may be lost: check their results"
            return ApiError(503, "Not durable", detail)
        case FrameError() | DeltaError() | HistoryGone() | HistoryBroken() | StateError():
            return ApiError(503, "The sim cannot be read", str(error))
        case RedisError():
            # The text of the error contains the address of Redis: it is for the log and for /health.
            return ApiError(503, "Redis is unavailable", describe(error))
        case _:
            return None


_TITLES = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Body too large",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "Headers too large",
    HTTPStatus.EXPECTATION_FAILED: "Expectation failed",
}


def install(app: App, finalizer: ResponseFinalizer) -> None:
    """Let `app` answer each error with problem details."""
    finalize = finalizer.finalize

    @app.exception(SanicException)
    async def of_http(request: Request, error: SanicException) -> HTTPResponse:
        status, detail, headers = describe_http_error(request, error)
        title = _TITLES.get(status, status.phrase)
        return finalize(request, ApiError(status, title, detail, headers=headers).response())

    @app.exception(Exception)
    async def unforeseen(request: Request, error: Exception) -> HTTPResponse:
        foreseen = to_api_error(error)
        if foreseen is not None:
            return finalize(request, foreseen.response())
        request_id = finalizer.request_id(request)
        fields = {"request": request_id, **trace_field(request), "method": request.method, "path": request.path}
        log.error("request failed", exc_info=error, extra=fields)
        return finalize(
            request,
            ApiError(500, "Internal error", "the API failed unexpectedly: find this request in its log").response(),
            request_id,
        )
