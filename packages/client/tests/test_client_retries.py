"""Retries of the client. The server of these tests sends raw bytes, so that it can break the protocol."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from fixtures.earlier_names import assert_module_moved, assert_renamed
from sector.client import Client, RequestRejected, Unavailable
from sector.models import Note, SimConfig
from sector.models.responses import Problem, RequestedSim

NOTE = Note(faction="Me", text="hello")
ACCEPTED = b'{"id":"5-0","status":"pending"}'


def answer(status: str, body: bytes = b"", more: str = "", kind: str = "application/json") -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n{more}\r\n"
    )
    return head.encode() + body


PROBLEM = (
    b'{"type":"about:blank","title":"Not here","status":503,"detail":"it is offline","later":"a field of tomorrow"}'
)


class Clock:
    """A clock that advances only while the client sleeps."""

    def __init__(self) -> None:
        self.slept_s: list[float] = []

    def now_s(self) -> float:
        return sum(self.slept_s)

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        await asyncio.sleep(0)


class Server:
    """Answers each request with the next of `answers`, and repeats the last one. b"" closes the connection."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self.requests: list[bytes] = []
        self.url = ""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n") if b"content-length" in line), 0
        )
        self.requests.append(head + await reader.readexactly(length))
        writer.write(self._answers.pop(0) if len(self._answers) > 1 else self._answers[0])
        await writer.drain()
        writer.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Server"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            yield self


def key(request: bytes) -> bytes:
    return next(line for line in request.lower().split(b"\r\n") if line.startswith(b"idempotency-key"))


async def test_an_order_is_retried_with_the_same_idempotency_key() -> None:
    server = Server(b"", answer("503 X", PROBLEM), answer("429 X", b"?"), answer("202 X", ACCEPTED))
    async with server.running(), Client(server.url, clock=Clock()) as client:
        assert await client.order(NOTE) == "5-0"
    assert len(server.requests) == 4
    assert len({key(request) for request in server.requests}) == 1
    async with server.running(), Client(server.url) as client:
        await client.order(NOTE)
    assert len({key(request) for request in server.requests}) == 2


async def test_a_rejection_is_raised_without_a_retry() -> None:
    body = b'{"type":"about:blank","title":"Invalid order","status":422,"detail":"no","errors":[{"field":"text","message":"no"}]}'
    async with Server(answer("422 X", body)).running() as server, Client(server.url) as client:
        with pytest.raises(RequestRejected, match="422 Invalid order: no") as rejection:
            await client.order(NOTE)
    assert rejection.value.problem.errors[0].field == "text"
    assert len(server.requests) == 1


async def test_a_rejection_by_a_proxy_has_the_text_of_the_proxy() -> None:
    async with Server(answer("413 Too Large", b"<html>nginx</html>")).running() as server, Client(server.url) as client:
        with pytest.raises(RequestRejected, match="413 Too Large: <html>nginx"):
            await client.snapshot()


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (b"", lambda: pytest.raises(Unavailable, match="RemoteProtocolError")),
        (answer("503 X", PROBLEM), lambda: pytest.raises(Unavailable, match="it is offline")),
        (answer("429 X", b"slow down"), lambda: pytest.raises(RequestRejected, match="slow down")),
    ],
)
async def test_retries_end_after_the_timeout(response: bytes, error: Callable[[], pytest.RaisesExc[Exception]]) -> None:
    clock = Clock()
    async with Server(response).running() as server, Client(server.url, retry_timeout_s=300, clock=clock) as client:
        with error():
            await client.order(NOTE)
    assert len(server.requests) == len(clock.slept_s) + 1
    # No pause is longer than 2 s, so the last request is not sent earlier.
    assert 298 <= clock.now_s() <= 300


async def test_a_retry_waits_as_long_as_retry_after() -> None:
    clock, wait = Clock(), answer("429 X", b"?", "retry-after: 7\r\n")
    accepted = answer("202 X", ACCEPTED)
    async with Server(wait, accepted).running() as server, Client(server.url, clock=clock) as client:
        await client.order(NOTE)
    assert clock.slept_s == [7]


async def test_pauses_double_up_to_two_seconds() -> None:
    clock = Clock()
    async with Server(b"").running() as server, Client(server.url, retry_timeout_s=60, clock=clock) as client:
        with pytest.raises(Unavailable):
            await client.snapshot()
    bounds = [min(0.05 * 2**number, 2.0) for number in range(len(clock.slept_s))]
    assert all(bound / 2 <= pause <= bound for pause, bound in zip(clock.slept_s, bounds, strict=True))


async def test_an_unreachable_server_is_unavailable() -> None:
    async with Server(b"").running() as server:
        url = server.url
    async with Client(url, retry_timeout_s=30, clock=Clock()) as client:
        with pytest.raises(Unavailable, match="ConnectError"):
            await client.snapshot()


async def test_a_stream_resumes_after_the_last_event() -> None:
    def events(*ids: str) -> bytes:
        data = '{"type":"note","tick":1,"order":null,"faction":"Me","text":"x","system":null,"id":"%s","at_ms":5}'
        body = "retry: 10\n\n" + "".join(f"id: {each}\nevent: note\ndata: {data % each}\n\n" for each in ids)
        unknown = 'id: 9-9\nevent: tomorrow\ndata: {"type":"tomorrow","tick":1}\n\n: still here\n\n'
        return answer("200 X", (body + unknown).encode(), kind="text/event-stream")

    async with Server(events("1-0", "1-1"), b"", events("2-0")).running() as server, Client(
        server.url, clock=Clock()
    ) as client:
        stream = client.follow()
        received = [(await anext(stream)) for _ in range(3)]
    assert [each.id for each in received] == ["1-0", "1-1", "2-0"]  # type: ignore[union-attr]  # no item is a gap
    heads = [request.lower() for request in server.requests]
    assert b"last-event-id" not in heads[0]
    assert all(b"last-event-id: 9-9" in head for head in heads[1:])


async def test_an_unreachable_stream_fails_after_the_retry_timeout() -> None:
    clock = Clock()
    async with Server(b"").running() as server, Client(server.url, retry_timeout_s=3, clock=clock) as client:
        with pytest.raises(Unavailable, match=r"no events from .* for 3 s: RemoteProtocolError"):
            await anext(client.follow())
    assert clock.slept_s == [1.0] * 4
    assert len(server.requests) == 5


async def test_a_stream_without_events_reconnects() -> None:
    """Time without events is not part of the retry timeout. Only time without a connection is."""
    clock = Clock()

    class Quiet(Server):
        async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await super()._serve(reader, writer)
            clock.slept_s.append(100)

    note = '{"type":"note","tick":1,"order":null,"faction":"Me","text":"x","system":null,"id":"1-0","at_ms":5}'
    quiet = answer("200 X", b"retry: 10\nid: 0-9\n\n: still here\n\n", kind="text/event-stream")
    event = answer("200 X", f"id: 1-0\nevent: note\ndata: {note}\n\n".encode(), kind="text/event-stream")
    async with Quiet(quiet, quiet, event).running() as server, Client(
        server.url, retry_timeout_s=3, clock=clock
    ) as client:
        assert (await anext(client.follow())).tick == 1  # type: ignore[union-attr]  # it is not a gap
    heads = [request.lower() for request in server.requests]
    assert [b"last-event-id: 0-9" in head for head in heads] == [False, True, True]


async def test_a_response_that_is_not_an_event_stream_is_no_connection() -> None:
    clock = Clock()
    page = answer("200 X", b"<html>", kind="text/html")
    async with Server(page).running() as server, Client(server.url, retry_timeout_s=3, clock=clock) as client:
        with pytest.raises(Unavailable, match="SSEError"):
            await anext(client.follow())
    assert clock.slept_s == [1.0] * 4


async def test_wait_s_extends_the_retry_timeout() -> None:
    clock = Clock()
    status = b'{"id":"1-0","status":"applied","events":[]}'
    async with Server(answer("503 X", PROBLEM), answer("200 X", status)).running() as server, Client(
        server.url, retry_timeout_s=0, clock=clock
    ) as client:
        assert (await client.outcome("1-0", wait_s=30)).status == "applied"


async def test_a_rejected_stream_has_the_error_of_the_api() -> None:
    async with Server(answer("422 X", PROBLEM)).running() as server, Client(server.url) as client:
        with pytest.raises(RequestRejected, match="it is offline"):
            await anext(client.follow())


async def test_a_stream_pauses_at_most_one_minute() -> None:
    clock = Clock()
    wrong = answer("200 X", b"retry: 86400000\nid: 0-9\n\n", kind="text/event-stream")
    async with Server(wrong, b"").running() as server, Client(server.url, retry_timeout_s=3, clock=clock) as client:
        with pytest.raises(Unavailable):
            await anext(client.follow())
    assert clock.slept_s
    assert max(clock.slept_s) <= 60


@pytest.mark.parametrize("token", ["s3cret s3cret", "s3cret\nX-Other: 1", "s3cr\u00eat", '"s3cret"'])
def test_an_invalid_token_is_rejected_without_a_quote(token: str) -> None:
    with pytest.raises(ValueError, match="it ") as rejection:
        Client("http://api", token=token)
    assert "s3cr" not in str(rejection.value)


async def test_a_token_is_stripped_and_never_appears_in_errors() -> None:
    echo = answer("418 X", b"you sent s3cret-of-mine\x1b[31m")
    async with Server(echo).running() as server, Client(server.url, token=" s3cret-of-mine\n") as client:
        with pytest.raises(RequestRejected) as rejection:
            await client.snapshot()
    assert b"authorization: bearer s3cret-of-mine\r\n" in server.requests[0].lower()
    assert str(rejection.value) == "418 X: you sent ***\\x1b[31m"


def test_the_text_of_an_error_is_always_printable() -> None:
    for text in ("\x1b[31m", "a\nb", "\x9b2J", "\u2028", "\u202e"):
        problem = Problem(type="about:blank", title=text, status=400, detail=text)
        assert str(RequestRejected(problem)).isprintable()
        assert str(Unavailable(text)).isprintable()
        assert RequestRejected(problem).problem.detail == text


async def test_earlier_names_of_the_client_work_with_a_warning() -> None:
    with pytest.warns(DeprecationWarning, match=r"Client\(patience_s=\) is now Client\(retry_timeout_s=\)$"):
        unreachable = Client("http://127.0.0.1:1", patience_s=0, clock=Clock())
    async with unreachable:
        with pytest.raises(Unavailable):
            await unreachable.snapshot()
    pending = answer("202 X", b'{"id":"new","status":"founding"}')
    async with Server(pending).running() as server, Client(server.url) as client:
        with pytest.warns(DeprecationWarning, match=r"Client\.found is now Client\.create_sim$"):
            await client.found("new", SimConfig(seed=7))
    assert server.requests[0].endswith(b'{"id":"new","config":{"seed":7}}')


async def test_an_override_of_an_earlier_method_name_is_called_by_the_new_one() -> None:
    async def create_mine(self: Client, sim_id: str, config: SimConfig) -> RequestedSim:
        return await Client.found(self, f"my-{sim_id}", config)

    with pytest.warns(DeprecationWarning, match=r"Earlier\.found is now create_sim$"):
        earlier: type[Client] = type("Earlier", (Client,), {"found": create_mine})
    pending = answer("202 X", b'{"id":"my-new","status":"founding"}')
    async with Server(pending).running() as server, earlier(server.url) as client:
        with pytest.warns(DeprecationWarning, match=r"Client\.found is now Client\.create_sim$"):
            await client.create_sim("new", SimConfig(seed=7))
    assert len(server.requests) == 1
    assert server.requests[0].endswith(b'{"id":"my-new","config":{"seed":7}}')


@pytest.mark.parametrize(
    ("earlier", "now"),
    [
        ("Refused", "RequestRejected"),
        ("asking.ask", "retry.send_with_retry"),
        ("asking.refusal", "retry.parse_rejection"),
        ("asking.shown_url", "retry.redact_url"),
    ],
)
def test_an_earlier_name_is_the_new_one(earlier: str, now: str) -> None:
    assert_renamed(f"sector.client.{earlier}", f"sector.client.{now}")


def test_an_earlier_module_is_the_new_one() -> None:
    assert_module_moved("sector.client.asking", "sector.client.retry")
