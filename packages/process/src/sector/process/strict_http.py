"""HTTP/1.1 connections as in RFC 9112, because the parser of Sanic accepts what other servers interpret differently.

Sanic calls the methods that are replaced here. Its signals `http.lifecycle.*` are not sent.
"""

import asyncio
import logging
from time import perf_counter
from typing import Any

from sanic.compat import Header
from sanic.exceptions import BadURL, ExpectationFailed, PayloadTooLarge, RequestTimeout
from sanic.headers import format_http1_response
from sanic.helpers import has_message_body
from sanic.http import Stage
from sanic.http.http1 import HTTP_CONTINUE, Http

from sector.process import rejected_requests
from sector.process.client_networks import client_network, last_forwarded_address
from sector.process.request_head import (
    CHUNK_SIZE,
    FIELD_LINE,
    MalformedRequest,
    RequestHead,
    check_beginning,
    parse_head,
)
from sector.process.request_starts import RequestStarts

_UNREAD_BODY = "body not consumed"
_MAX_CHUNK_LINE = 256
_CRLF = b"\r\n"
_RESPONSE_AFTER_END_S = 5.0


class StrictHttp(Http):
    """The requests of a connection. `rejected`: whether the present one violates RFC 9112, or its head did not arrive.

    `waits_for_start`: whether a complete head waits for its turn.
    """

    __slots__ = ("_in_chunk", "_starts", "waits_for_start", "rejected")
    # Sanic declares other types for these.
    protocol: Any
    request: Any
    response: Any
    response_func: Any
    request_body: Any
    request_bytes: Any
    request_bytes_left: Any

    def __init__(self, protocol: Any) -> None:
        super().__init__(protocol)  # type: ignore[no-untyped-call]
        self._starts: RequestStarts | None = getattr(protocol.app.ctx, "request_starts", None)
        self.waits_for_start = False
        self._receive_more = self._receive_more_or_close

    def init_for_request(self) -> None:
        """Prepare for the next request."""
        super().init_for_request()  # type: ignore[no-untyped-call]
        self.rejected = False
        self._in_chunk = False

    async def http1_request_header(self) -> None:
        """Receive the head of a request and create `self.request`. Raises MalformedRequest, PayloadTooLarge or ExpectationFailed."""
        raw = await self._receive_head()
        received_s = perf_counter()
        if self._starts is not None and not self._starts.start():
            await self._wait_for_start(self._starts, raw)
        head = parse_head(raw)
        protocol = self.protocol
        self.keep_alive = head.keep_alive
        self.head_only = head.method == "HEAD"
        self.upgrade_websocket = head.upgrades_to_websocket
        try:
            request = protocol.request_class(
                url_bytes=head.target.encode("ascii"),
                headers=Header(head.headers),
                head=raw,
                version=head.version,
                method=head.method,
                transport=protocol.transport,
                app=protocol.app,
            )
        except BadURL as error:
            raise MalformedRequest("the request target is not a valid path") from error
        protocol.request_class._current.set(request)  # noqa: SLF001  (like Sanic)
        # The time before the wait for its start.
        request.received_s = received_s
        request.conn_info = protocol.conn_info
        request.stream = self
        self.request = request
        self._prepare_body(head)
        protocol.state["requests_count"] += 1

    async def _receive_head(self) -> bytes:
        """Return the next head without the empty line that ends it, and remove it from the buffer."""
        buffer, start = self.recv_buffer, 0
        await self._skip_empty_line()
        while (end := buffer.find(b"\r\n\r\n", start)) < 0 and len(buffer) < self.HEADER_MAX_SIZE:
            check_beginning(buffer, start)
            start = max(0, len(buffer) - 3)
            await self._receive_more()
        if not 0 <= end < self.HEADER_MAX_SIZE:
            raise PayloadTooLarge("the head is too large")
        head = bytes(buffer[:end])
        del buffer[: end + 4]
        return head

    async def _wait_for_start(self, starts: RequestStarts, head: bytes) -> None:
        # The request is complete, so the time for its arrival is over.
        self.stage = Stage.HANDLER
        self.waits_for_start = True
        try:
            await starts.wait(self._client_of(head))
        finally:
            self.waits_for_start = False
        self.stage = Stage.REQUEST
        if self.protocol.input_ended:
            # The client may have left, so a stream or a long poll must not hold the connection for long.
            asyncio.get_running_loop().call_later(_RESPONSE_AFTER_END_S, self.protocol.close)

    def _client_of(self, head: bytes) -> str:
        """Return the network of the client that sent a head, which is not parsed yet. Behind proxies it is what they report."""
        proxies = self.protocol.app.config.PROXIES_COUNT
        address = last_forwarded_address(head, proxies) if proxies else ""
        network: str = client_network(address) if address else self.protocol.client_network
        return network

    async def _receive_more_or_close(self) -> None:
        """Wait for more input. Close the connection if the client has closed its sending side."""
        protocol = self.protocol
        if protocol.input_ended and protocol.transport is not None:
            protocol.transport.close()
        await protocol.receive_more()

    async def _skip_empty_line(self) -> None:
        """Skip one empty line before a request: some clients send one after a body (RFC 9112, section 2.2)."""
        buffer = self.recv_buffer
        if buffer[0] != _CRLF[0]:
            return
        # No part of a request has arrived yet.
        self.stage = Stage.IDLE
        while len(buffer) < len(_CRLF):
            await self._receive_more()
        if buffer.startswith(_CRLF):
            del buffer[: len(_CRLF)]
            if not buffer:
                await self._receive_more()
        self.stage = Stage.REQUEST

    def _prepare_body(self, head: RequestHead) -> None:
        self.request_bytes_left = self.request_bytes = 0
        if not head.has_body:
            return
        if head.expect:
            if head.expect.lower() != "100-continue":
                raise ExpectationFailed("the header Expect must be 100-continue")
            self.expecting_continue = True
        if head.length is None:
            self.request_body = "chunked"
        else:
            self.request_body = True
            self.request_bytes_left = self.request_bytes = head.length

    async def read(self) -> bytes | None:
        """Return a part of the body of the request, or None at its end. Raises MalformedRequest or PayloadTooLarge."""
        if self.request_body == "chunked" and self.request_bytes_left == 0:
            if self.expecting_continue:
                self.expecting_continue = False
                await self._send(HTTP_CONTINUE)
            await self._begin_chunk()
        return await super().read() if self.request_body else None

    async def _begin_chunk(self) -> None:
        """Read up to the bytes of the next chunk, or to the end of the body."""
        if self._in_chunk:
            await self._read_line(0)
        line = CHUNK_SIZE.fullmatch(await self._read_line(_MAX_CHUNK_LINE))
        if line is None:
            raise self._rejection("the size of a chunk is not a hexadecimal number")
        size = int(line[1], 16)
        if size == 0:
            await self._read_trailers()
            self.request_body = None
            return
        self._in_chunk = True
        self.request_bytes_left = size
        self.request_bytes += size

    async def _read_trailers(self) -> None:
        """Read and drop the trailer fields after a body."""
        room = self.HEADER_MAX_SIZE
        while line := await self._read_line(room):
            if FIELD_LINE.fullmatch(line) is None:
                raise self._rejection("a field after the last chunk is malformed")
            room -= len(line) + len(_CRLF)

    async def _read_line(self, max_size: int) -> bytes:
        """Return the next line of a chunked body, without its CRLF."""
        buffer = self.recv_buffer
        most = max(max_size, 0) + len(_CRLF)
        while (end := buffer.find(_CRLF, 0, most)) < 0:
            if len(buffer) >= most:
                raise self._rejection("a line between chunks is too long, or does not end with CRLF")
            await self._receive_more()
        line = bytes(buffer[:end])
        del buffer[: end + len(_CRLF)]
        return line

    def _rejection(self, reason: str) -> MalformedRequest:
        self.keep_alive = False
        self._count_rejection(reason)
        return MalformedRequest(reason)

    def _count_rejection(self, reason: str) -> None:
        self.rejected = True
        info = self.protocol.conn_info
        if info is not None and not info.lost:
            rejected_requests.count_rejected_request(info.client_ip, reason)

    async def error_response(self, exception: Exception) -> None:
        """Send the response to an error."""
        if self.stage is Stage.REQUEST and self.request is None:
            self._count_rejection(_reason(exception))
        await super().error_response(exception)

    def create_empty_request(self) -> None:
        """Create a placeholder for a request whose head could not be read, to which the error responds."""
        super().create_empty_request()
        self.request.conn_info = self.protocol.conn_info

    async def http1_response_header(self, data: bytes, end_stream: bool) -> None:
        """Send the head of a response with the first part of its body. A client of HTTP/1.0 gets a stream without chunk sizes."""
        response = self.response
        if not data and (body := getattr(response, "body", None)):
            data, end_stream = body, True
        data = self._frame(response.headers, data, end_stream=end_stream)
        if not has_message_body(response.status):
            end_stream = True
        response.headers["connection"] = "keep-alive" if self.keep_alive else "close"
        head: bytes = format_http1_response(response.status, response.processed_headers)
        if self.expecting_continue:
            self.expecting_continue = False
            head = HTTP_CONTINUE + head
        await self._send(head + data)
        self.stage = Stage.IDLE if end_stream else Stage.RESPONSE

    def _frame(self, headers: Any, data: bytes, *, end_stream: bool) -> bytes:
        """Set the headers that define the end of a response body. Return the bytes to send now."""
        self.response_size = len(data)
        self.response_func = None
        if not has_message_body(self.response.status):
            headers.pop("content-length", None)
            headers.pop("transfer-encoding", None)
            return b""
        if "content-length" in headers and not end_stream:
            self.response_bytes_left = int(headers["content-length"]) - len(data)
            self.response_func = self.http1_response_normal
        elif end_stream:
            if not (self.head_only and "content-length" in headers):
                headers["content-length"] = len(data)
        elif self.request.version == "1.0":
            # The end of the connection is the end of the body.
            self.keep_alive = False
            self.response_func = self._send_unframed
        else:
            headers["transfer-encoding"] = "chunked"
            self.response_func = self.http1_response_chunked
            data = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
        if self.head_only:
            self.response_func = self._ignore
            return b""
        return data

    async def _send_unframed(self, data: bytes, end_stream: bool) -> None:
        if data:
            await self._send(data)
        if end_stream:
            self.response_func = None
            self.stage = Stage.IDLE

    async def _ignore(self, _: bytes, end_stream: bool) -> None:
        """Drop the body of a response to HEAD."""
        if end_stream:
            self.response_func = None
            self.stage = Stage.IDLE


def _reason(error: Exception) -> str:
    match error:
        case MalformedRequest():
            return str(error)
        case PayloadTooLarge():
            return "its head is too large"
        case RequestTimeout():
            return "its head did not arrive in time"
        case _:
            return "its head cannot be parsed"


def _is_fault(record: logging.LogRecord) -> bool:
    """Say whether a record is about an error of ours. Sanic also logs each request body that no handler reads."""
    return _UNREAD_BODY not in str(record.msg)


logging.getLogger("sanic.error").addFilter(_is_fault)
