"""Retries: a request is sent again while the API is unreachable or asks to wait. So it must be safe to send it twice."""

import random
import ssl
from typing import TYPE_CHECKING

import httpx
from httpx_sse import SSEError
from pydantic import ValidationError

from sector.client.clock import Clock
from sector.client.errors import ClientError, RequestRejected, Unavailable
from sector.models.deprecated_names import deprecated_names
from sector.models.printable import printable
from sector.models.responses import Problem

RETRYABLE = frozenset({408, 429, 502, 503, 504})
"""Status codes after which a request is sent again."""
_MAX_FOREIGN = 200
_FIRST_S, _MAX_S = 0.05, 2.0


async def send_with_retry(
    http: httpx.AsyncClient, request: httpx.Request, retry_timeout_s: float, clock: Clock
) -> httpx.Response:
    """Return the response, a success or 304. Raises RequestRejected, and Unavailable after `retry_timeout_s` seconds of retries."""
    end_s, bound_s = clock.now_s() + retry_timeout_s, _FIRST_S
    while True:
        failure: ClientError
        min_pause_s = 0.0
        try:
            response = await http.send(request)
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol) as error:
            # The request itself is invalid: it would fail again.
            raise Unavailable(
                f"{redact_url(request.url)} cannot be requested: {type(error).__name__}", type(error).__name__
            ) from None
        except httpx.TransportError as error:
            failure = Unavailable(f"{redact_url(request.url)} was not reached: {describe(error)}", type(error).__name__)
        else:
            if response.is_success or response.status_code == httpx.codes.NOT_MODIFIED:
                return response
            rejection = parse_rejection(response)
            if response.status_code not in RETRYABLE:
                raise rejection
            min_pause_s = rejection.retry_after_s
            failure = (
                rejection
                if response.status_code == httpx.codes.TOO_MANY_REQUESTS
                else Unavailable(str(rejection), str(response.status_code))
            )
        # Source: M. Brooker, "Exponential Backoff And Jitter", 2015.
        pause_s = max(min_pause_s, random.uniform(bound_s / 2, bound_s))  # noqa: S311  # nosec B311  # nothing secret
        bound_s = min(bound_s * 2, _MAX_S)
        if clock.now_s() + pause_s > end_s:
            raise failure
        await clock.sleep(pause_s)


def redact_url(url: httpx.URL) -> str:
    """Return a URL without user and password."""
    return str(url.copy_with(username=None, password=None))


def describe(error: httpx.TransportError | SSEError) -> str:
    """Return what failed: the kind of error, and the text of the system if it has one. The text of a library may quote the request."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return f"{type(error).__name__}: TLS failed ({cause.reason or type(cause).__name__})"
        if isinstance(cause, OSError) and cause.strerror:
            return f"{type(error).__name__}: {cause.strerror}"
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


def parse_rejection(response: httpx.Response) -> RequestRejected:
    """Return the error of a response that is no success."""
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        # It is not of the API, but of a proxy, perhaps. It may quote the request, and so the token.
        token = response.request.headers.get("authorization", "").removeprefix("Bearer ")
        title, detail = (
            printable(text.replace(token, "***") if token else text)[:_MAX_FOREIGN]
            for text in (response.reason_phrase, response.text)
        )
        problem = Problem(type="about:blank", title=title, status=response.status_code, detail=detail)
    retry_after = response.headers.get("retry-after", "")
    return RequestRejected(problem, float(retry_after) if retry_after.isdecimal() else 0.0)


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(
        __name__, {"ask": "send_with_retry", "shown_url": "redact_url", "refusal": "parse_rejection"}
    )
