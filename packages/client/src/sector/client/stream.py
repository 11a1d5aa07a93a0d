"""The stream of events, resumed by itself wherever it breaks."""

import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import httpx
from httpx_sse import ServerSentEvent, SSEError, aconnect_sse
from pydantic import ValidationError
from pydantic_core import from_json

from sector.client.asking import describe, refusal, shown_url
from sector.client.clock import Clock
from sector.client.errors import Unavailable
from sector.models import EVENT, Event

log = logging.getLogger(__name__)

_SILENT_S = 60.0
_MAX_RETRY_S = 60.0
"""The longest pause between two connections, whatever the server says."""
_MINE = frozenset({"gap", "dropped", "reconnect"})


@dataclass(frozen=True, slots=True)
class Gap:
    """What happened after event `after` and before tick `first_tick` is not kept any more: begin with a snapshot."""

    after: str
    first_tick: int


async def follow(
    http: httpx.AsyncClient, url: str, query: Mapping[str, str], after: str, patience_s: float, clock: Clock
) -> AsyncIterator[Event | Gap]:
    """Yield events until cancelled.

    Raises Refused where the API will not have it, Unavailable after `patience_s` seconds without a connection.
    """
    last, retry_s = after, 1.0
    end_s: float | None = None  # (of the time without a connection)
    while True:
        headers = {"Last-Event-ID": last} if last else {}
        fault = "it ended"
        try:
            async with aconnect_sse(
                http, "GET", url, params=dict(query), headers=headers, timeout=_patient(http)
            ) as source:
                if source.response.is_client_error:
                    await source.response.aread()
                    raise refusal(source.response)
                if source.response.headers.get("content-type", "").startswith("text/event-stream"):
                    end_s = None
                async for message in source.aiter_sse():
                    retry_s = retry_s if message.retry is None else min(message.retry / 1000, _MAX_RETRY_S)
                    last = message.id or last
                    if (found := _read(message)) is not None:
                        yield found
        except (httpx.TransportError, SSEError) as error:
            fault = describe(error)
        now_s = clock.now_s()
        end_s = now_s + patience_s if end_s is None else end_s
        if now_s > end_s:
            raise Unavailable(f"no events of {shown_url(httpx.URL(url))} for {patience_s:g} s: {fault}")
        await clock.sleep(retry_s)


def _patient(http: httpx.AsyncClient) -> httpx.Timeout:
    """Return the client's limits, but for the time between two messages."""
    return httpx.Timeout(http.timeout.connect, read=_SILENT_S)


def _read(message: ServerSentEvent) -> Event | Gap | None:
    if message.event == "tick":
        # All events of a tick were sent; its id is what matters.
        return None
    if message.event in _MINE:
        if message.event == "gap":
            return Gap(**from_json(message.data))
        log.info("the stream of events ends: %s", message.data)
        return None
    if not message.data:
        return None
    try:
        return EVENT.validate_json(message.data)
    except ValidationError:
        # Of a type that a later version of the server knows.
        log.debug("an event that is not known here: %s", message.data)
        return None
