"""Asking: one request, sent again while the API is away or asks for patience. So it must be safe to send it twice."""

import random
import ssl

import httpx
from httpx_sse import SSEError
from pydantic import ValidationError

from sector.client.clock import Clock
from sector.client.errors import ClientError, Refused, Unavailable
from sector.models.answers import Problem
from sector.models.printable import printable

_AGAIN = frozenset({408, 429, 502, 503, 504})
_MAX_FOREIGN = 200
_FIRST_S, _MOST_S = 0.05, 2.0


async def ask(http: httpx.AsyncClient, request: httpx.Request, patience_s: float, clock: Clock) -> httpx.Response:
    """Return the answer, a success or 304. Raises Refused, Unavailable after `patience_s` seconds of trying."""
    end_s, bound_s = clock.now_s() + patience_s, _FIRST_S
    while True:
        fault: ClientError
        least_s = 0.0
        try:
            answer = await http.send(request)
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol) as error:
            # Of the request itself: it would fail again.
            raise Unavailable(
                f"{shown_url(request.url)} cannot be asked: {type(error).__name__}", type(error).__name__
            ) from None
        except httpx.TransportError as error:
            fault = Unavailable(f"{shown_url(request.url)} was not reached: {describe(error)}", type(error).__name__)
        else:
            if answer.is_success or answer.status_code == httpx.codes.NOT_MODIFIED:
                return answer
            refused = refusal(answer)
            if answer.status_code not in _AGAIN:
                raise refused
            least_s = refused.retry_after_s
            fault = (
                refused
                if answer.status_code == httpx.codes.TOO_MANY_REQUESTS
                else Unavailable(str(refused), str(answer.status_code))
            )
        # Source: M. Brooker, "Exponential Backoff And Jitter", 2015.
        pause_s = max(least_s, random.uniform(bound_s / 2, bound_s))  # noqa: S311  # nosec B311  # nothing secret
        bound_s = min(bound_s * 2, _MOST_S)
        if clock.now_s() + pause_s > end_s:
            raise fault
        await clock.sleep(pause_s)


def shown_url(url: httpx.URL) -> str:
    """Return a URL without user and password."""
    return str(url.copy_with(username=None, password=None))


def describe(error: httpx.TransportError | SSEError) -> str:
    """Return what failed: the kind of error and, if the system said so, its words. The text of a library may quote the request."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return f"{type(error).__name__}: TLS failed ({cause.reason or type(cause).__name__})"
        if isinstance(cause, OSError) and cause.strerror:
            return f"{type(error).__name__}: {cause.strerror}"
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


def refusal(answer: httpx.Response) -> Refused:
    """Return what an answer that is no success says."""
    try:
        problem = Problem.model_validate_json(answer.content)
    except ValidationError:
        # Not ours: of a proxy on the way, perhaps. It may quote the request, and so the token.
        held = answer.request.headers.get("authorization", "").removeprefix("Bearer ")
        title, detail = (
            printable(text.replace(held, "***") if held else text)[:_MAX_FOREIGN]
            for text in (answer.reason_phrase, answer.text)
        )
        problem = Problem(type="about:blank", title=title, status=answer.status_code, detail=detail)
    wait = answer.headers.get("retry-after", "")
    return Refused(problem, float(wait) if wait.isdecimal() else 0.0)
