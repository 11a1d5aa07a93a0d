"""The event stream (server-sent events).

The client reconnects after a lost connection, and resumes after the last event.
"""

import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import httpx
from httpx_sse import ServerSentEvent, SSEError, aconnect_sse
from pydantic import ValidationError
from pydantic_core import from_json

from sector.client.clock import Clock
from sector.client.errors import Unavailable
from sector.client.retry import describe, parse_rejection, redact_url
from sector.models import EVENT, Event

log = logging.getLogger(__name__)

_SILENT_S = 60.0
_MAX_RETRY_S = 60.0
"""The longest pause between two connections, even if the server asks for more."""
_CONTROL_EVENTS = frozenset({"gap", "dropped", "reconnect"})


@dataclass(frozen=True, slots=True)
class Gap:
    """Events between the event `after` and the tick `first_tick` are no longer stored. Read a snapshot to continue."""

    after: str
    first_tick: int


async def follow(
    http: httpx.AsyncClient, url: str, query: Mapping[str, str], after: str, retry_timeout_s: float, clock: Clock
) -> AsyncIterator[Event | Gap]:
    """Yield events until the caller cancels it.

    `after`: the id of the event to resume after; "" begins now. Raises RequestRejected if the API rejects the request.
    Raises Unavailable after `retry_timeout_s` seconds without a connection.
    """
    last, retry_s = after, 1.0
    end_s: float | None = None  # When the stream fails. None while there is a connection.
    while True:
        headers = {"Last-Event-ID": last} if last else {}
        failure = "the stream ended"
        try:
            async with aconnect_sse(
                http, "GET", url, params=dict(query), headers=headers, timeout=_stream_timeout(http)
            ) as source:
                if source.response.is_client_error:
                    await source.response.aread()
                    raise parse_rejection(source.response)
                if source.response.headers.get("content-type", "").startswith("text/event-stream"):
                    end_s = None
                async for message in source.aiter_sse():
                    retry_s = retry_s if message.retry is None else min(message.retry / 1000, _MAX_RETRY_S)
                    last = message.id or last
                    if (event := _read(message)) is not None:
                        yield event
        except (httpx.TransportError, SSEError) as error:
            failure = describe(error)
        now_s = clock.now_s()
        end_s = now_s + retry_timeout_s if end_s is None else end_s
        if now_s > end_s:
            raise Unavailable(f"no events from {redact_url(httpx.URL(url))} for {retry_timeout_s:g} s: {failure}")
        await clock.sleep(retry_s)


def _stream_timeout(http: httpx.AsyncClient) -> httpx.Timeout:
    """Return the client's limits, with a longer one between two messages."""
    return httpx.Timeout(http.timeout.connect, read=_SILENT_S)


def _read(message: ServerSentEvent) -> Event | Gap | None:
    if message.event == "tick":
        # It carries only an id to resume after: all events of the tick were sent before it.
        return None
    if message.event in _CONTROL_EVENTS:
        if message.event == "gap":
            return Gap(**from_json(message.data))
        log.info("event stream ended by server", extra={"event_type": message.event, "data": message.data})
        return None
    if not message.data:
        return None
    try:
        return EVENT.validate_json(message.data)
    except ValidationError:
        # A later version of the server may send new types of events.
        log.debug("event of unknown type skipped", extra={"data": message.data})
        return None
