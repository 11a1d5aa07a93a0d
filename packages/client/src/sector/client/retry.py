"""Retries of requests while the API is unreachable or asks to wait.

A request may be sent several times, so it must be idempotent.
"""

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
"""Status codes after which the client retries: timeout, rate limit, and temporary errors of a gateway."""
_MAX_FOREIGN = 200
_FIRST_S, _MAX_S = 0.05, 2.0


async def send_with_retry(
    http: httpx.AsyncClient, request: httpx.Request, retry_timeout_s: float, clock: Clock
) -> httpx.Response:
    """Return the response of a request: a success, or 304.

    Between attempts it waits with exponential backoff and jitter, from 0.05 s to 2 s, and at least as long as Retry-After.

    Args:
        http: The HTTP client.
        request: The request. It must be idempotent, because it may be sent several times.
        retry_timeout_s: For how many seconds the request is retried.
        clock: The clock of the retries.

    Raises:
        RequestRejected: The API rejected the request, or its rate limit lasted until the timeout.
        Unavailable: The request is invalid, or the API was unreachable until the timeout.
    """
    end_s, bound_s = clock.now_s() + retry_timeout_s, _FIRST_S
    while True:
        failure: ClientError
        min_pause_s = 0.0
        try:
            response = await http.send(request)
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol) as error:
            # The request itself is invalid, so a retry would fail too.
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
        pause_s = max(min_pause_s, random.uniform(bound_s / 2, bound_s))  # noqa: S311  # nosec B311  # not for a secret
        bound_s = min(bound_s * 2, _MAX_S)
        if clock.now_s() + pause_s > end_s:
            raise failure
        await clock.sleep(pause_s)


def redact_url(url: httpx.URL) -> str:
    """Return a URL as text, without its user and password."""
    return str(url.copy_with(username=None, password=None))


def describe(error: httpx.TransportError | SSEError) -> str:
    """Return the class of an error, with the text of the operating system or the reason of TLS if there is one.

    The text of the HTTP library is left out, because it may quote the request and its token.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return f"{type(error).__name__}: TLS failed ({cause.reason or type(cause).__name__})"
        if isinstance(cause, OSError) and cause.strerror:
            return f"{type(error).__name__}: {cause.strerror}"
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


def parse_rejection(response: httpx.Response) -> RequestRejected:
    """Return the error for a response that is not a success.

    A body that is not a problem document comes from a proxy. Its text is cut to 200 characters, without the token.
    """
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        # A proxy may quote the request, and thus the token.
        token = response.request.headers.get("authorization", "").removeprefix("Bearer ")
        title, detail = (
            printable(text.replace(token, "***") if token else text)[:_MAX_FOREIGN]
            for text in (response.reason_phrase, response.text)
        )
        problem = Problem(type="about:blank", title=title, status=response.status_code, detail=detail)
    retry_after = response.headers.get("retry-after", "")
    return RequestRejected(problem, float(retry_after) if retry_after.isdecimal() else 0.0)


if not TYPE_CHECKING:  # (otherwise a type checker would allow any name)
    __getattr__ = deprecated_names(
        __name__, {"ask": "send_with_retry", "shown_url": "redact_url", "refusal": "parse_rejection"}
    )
