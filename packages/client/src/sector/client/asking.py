"""Asking: one request, sent again while the API is away or asks for patience. So it must be safe to send it twice."""

import random

import httpx
from pydantic import ValidationError

from sector.client.clock import Clock
from sector.client.errors import ClientError, Refused, Unavailable
from sector.models.answers import Problem

_AGAIN = frozenset({408, 429, 502, 503, 504})
_FIRST_S, _MOST_S = 0.05, 2.0


async def ask(http: httpx.AsyncClient, request: httpx.Request, patience_s: float, clock: Clock) -> httpx.Response:
    """Return the answer, a success or 304. Raises Refused, Unavailable after `patience_s` seconds of trying."""
    end_s, bound_s = clock.now_s() + patience_s, _FIRST_S
    while True:
        fault: ClientError
        least_s = 0.0
        try:
            answer = await http.send(request)
        except httpx.TransportError as error:
            fault = Unavailable(f"{request.url} was not reached: {type(error).__name__}: {error}")
        else:
            if answer.is_success or answer.status_code == httpx.codes.NOT_MODIFIED:
                return answer
            refused = refusal(answer)
            if answer.status_code not in _AGAIN:
                raise refused
            least_s = refused.retry_after_s
            fault = refused if answer.status_code == httpx.codes.TOO_MANY_REQUESTS else Unavailable(str(refused))
        # Source: M. Brooker, "Exponential Backoff And Jitter", 2015.
        pause_s = max(least_s, random.uniform(bound_s / 2, bound_s))  # noqa: S311  # nosec B311  # nothing secret
        bound_s = min(bound_s * 2, _MOST_S)
        if clock.now_s() + pause_s > end_s:
            raise fault
        await clock.sleep(pause_s)


def refusal(answer: httpx.Response) -> Refused:
    """Return what an answer that is no success says."""
    try:
        problem = Problem.model_validate_json(answer.content)
    except ValidationError:
        # Not ours: of a proxy on the way, perhaps.
        problem = Problem(
            type="about:blank", title=answer.reason_phrase, status=answer.status_code, detail=answer.text[:200]
        )
    wait = answer.headers.get("retry-after", "")
    return Refused(problem, float(wait) if wait.isdecimal() else 0.0)
