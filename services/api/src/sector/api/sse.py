"""Server-Sent Events: how events are encoded, and the writer of one stream."""

import asyncio
from collections.abc import Sequence

import orjson
from sanic import Request

from sector.api.response_finalizer import ResponseFinalizer
from sector.api.responses import Response
from sector.state.history.event_codec import Event

HEARTBEAT = b": still here\n\n"
_RETRY_MS = 1_000
_TICK_END_NUMBER = 999_999_999
"""Event number after all events of a tick, in the ids that clients may send."""

_LINE_ENDS = tuple((each.encode(), b"\\u%04x" % ord(each)) for each in "\x85\u2028\u2029")


class EventStreamWriter:
    """Writes one stream. A client that reads nothing for `write_timeout_s` raises TimeoutError."""

    def __init__(self, request: Request, write_timeout_s: float) -> None:
        self._request = request
        self._write_timeout_s = write_timeout_s

    async def begin(self, finalizer: ResponseFinalizer, response: Response, after_tick: int | None) -> None:
        """Send the headers. With `after_tick`, a client whose connection breaks before its first event resumes after that tick."""
        self._response = await self._request.respond(finalizer.finalize(self._request, response))
        position = b"" if after_tick is None else b"id: %d-%d\n" % (after_tick, _TICK_END_NUMBER)
        await self.send(b"retry: %d\n%b\n" % (_RETRY_MS, position))

    async def send(self, chunk: bytes) -> None:
        """Send encoded messages. Raises TimeoutError."""
        if not chunk:
            return
        async with asyncio.timeout(self._write_timeout_s):
            await self._response.send(chunk)

    async def end(self, message: str, reason: str) -> None:
        """Send the last message, with the reason why the stream ends, and end it."""
        await self.send(f"event: {message}\ndata: ".encode() + orjson.dumps({"reason": reason}) + b"\n\n")
        await self._response.eof()


def encode_tick_end(tick: int) -> bytes:
    """Return the message after the events of a tick. A tick without events has it too: clients wait for it, and resume after it."""
    return b'id: %d-%d\nevent: tick\ndata: {"type":"tick","tick":%d}\n\n' % (tick, _TICK_END_NUMBER, tick)


def encode_gap(after: tuple[int, int], first_tick: int) -> bytes:
    """Return the message that the events from `after` up to `first_tick` are not available."""
    gap = orjson.dumps({"after": f"{after[0]}-{max(after[1], 0)}", "first_tick": first_tick})
    return b"event: gap\ndata: " + gap + b"\n\n"


def encode_events(events: Sequence[Event]) -> bytes:
    """Return the messages of events."""
    return _escape_line_ends(
        b"".join(
            b"id: %b\nevent: %b\ndata: %b\n\n"
            % (str(event["id"]).encode(), str(event["type"]).encode(), orjson.dumps(event))
            for event in events
        )
    )


def _escape_line_ends(messages: bytes) -> bytes:
    """Escape, in JSON, line ends that clients recognize if they split a stream as `str.splitlines` does.

    JSON escapes the other line ends (such as U+001C) by itself.
    """
    for raw, escaped in _LINE_ENDS:
        if raw in messages:
            messages = messages.replace(raw, escaped)
    return messages
