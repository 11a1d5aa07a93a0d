"""Rate limits over all replicas, backpressure, slow senders, CORS, request ids, the access log, and shutdown."""

import json
import re
import socket
import time
from collections.abc import Callable
from contextlib import suppress

import httpx
import pytest
from redis.asyncio import Redis
from sanic import Request

from fixtures.orders import post_order
from fixtures.processes import Processes, Service
from fixtures.sim import Sim
from fixtures.stored_values import read_stream
from fixtures.tokens import SECRET, bearer_header, create_token
from fixtures.waiting import wait_until
from sector.api.cors import Cors
from sector.state.keys import SimKeys


@pytest.fixture
def url(sim: Sim, redis_url: str) -> str:
    del sim
    return redis_url


async def test_replicas_share_the_rate_of_a_token(url: str, redis: Redis, processes: Processes) -> None:
    one, two = (processes.start("api", REDIS_URL=url, AUTH_SECRET=SECRET, RATE_PER_TOKEN="0.5") for _ in range(2))
    mine, theirs = bearer_header(create_token("*", sub="me")), bearer_header(create_token("*", sub="you"))
    began_s, answers = time.monotonic(), [post_order(one, **mine)]
    while answers[-1].is_success:
        answers.append(post_order((two, one)[len(answers) % 2], **mine))
    # Five orders at once, and those that half an order per second adds on a slow machine.
    accepted = len(answers) - 1
    assert 5 <= accepted <= 5 + 0.5 * (time.monotonic() - began_s)
    assert [answer.status_code for answer in answers] == [202] * accepted + [429]
    assert answers[-1].json()["title"] == "Too many orders"
    assert answers[-1].json()["detail"].startswith("token me exceeds the limit of 0.5 orders per second")
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 2
    assert post_order(two, **theirs).status_code == 202
    assert len(await read_stream(redis, SimKeys("default").orders)) == accepted + 1


async def test_rejected_orders_of_a_list_count_in_rates(url: str, processes: Processes) -> None:
    """A list is as much work. While its sender has to wait, the list is not parsed."""
    api = processes.start("api", REDIS_URL=url, RATE_PER_ADDRESS="0.01")
    wrong = [{"type": "fly"}] * 10
    assert [post_order(api, wrong).status_code for _ in range(2)] == [207, 429]
    assert post_order(api, {"type": "fly"}).status_code == 429
    assert 1 <= int(post_order(api).headers["retry-after"]) <= 1000


async def test_the_order_rate_counts_the_forwarded_address(url: str, processes: Processes) -> None:
    direct = processes.start("api", REDIS_URL=url, RATE_PER_ADDRESS="0.01")
    assert [post_order(direct).status_code for _ in range(2)] == [202, 429]
    # Without a proxy, the header of a client is ignored.
    assert post_order(direct, **{"X-Forwarded-For": "10.0.0.9"}).status_code == 429
    behind = processes.start("api", REDIS_URL=url, RATE_PER_ADDRESS="0.01", PROXIES="1")
    forwarded = [post_order(behind, **{"X-Forwarded-For": f"10.9.9.9, 10.0.0.{n}"}).status_code for n in (1, 2, 1)]
    assert forwarded == [202, 202, 429]


async def test_an_ipv6_network_has_one_rate(url: str, processes: Processes) -> None:
    api = processes.start("api", REDIS_URL=url, RATE_PER_ADDRESS="0.01", PROXIES="1")
    addresses = ["2001:db8:0:1::1", *(f"2001:DB8::1:0:0:0:{number:x}" for number in range(2, 9)), "[2001:db8:0:1::9]"]
    statuses = [post_order(api, **{"X-Forwarded-For": address}).status_code for address in addresses]
    assert statuses == [202] + [429] * 8
    assert post_order(api, **{"X-Forwarded-For": "2001:db8:0:2::1"}).status_code == 202
    wider = processes.start("api", REDIS_URL=url, RATE_PER_ADDRESS="0.01", PROXIES="1", IPV6_PREFIX="48")
    statuses = [post_order(wider, **{"X-Forwarded-For": f"2001:db8:7:{number}::1"}).status_code for number in (1, 2)]
    assert statuses == [202, 429]


async def test_a_rate_from_a_clock_ahead_rejects_no_order(url: str, redis: Redis, processes: Processes) -> None:
    api = processes.start("api", REDIS_URL=url, RATE_PER_ADDRESS="10")
    seconds, _ = await redis.time()
    await redis.set(SimKeys("default").rate("address 127.0.0.1"), (seconds + 3600) * 1_000_000)
    assert [post_order(api).status_code for _ in range(3)] == [202] * 3


async def test_while_the_worker_is_behind_only_orders_are_refused(url: str, sim: Sim, processes: Processes) -> None:
    api = processes.start("api", REDIS_URL=url, MAX_PENDING_ORDERS="3")
    assert [post_order(api).status_code for _ in range(4)] == [202, 202, 202, 429]
    refused = post_order(api)
    assert refused.json()["title"] == "Too many pending orders"
    assert refused.headers["retry-after"] == "1"
    assert httpx.get(f"{api.url}/snapshot").status_code == 200
    await sim.tick()
    assert post_order(api).status_code == 202


def _drip(api: Service, first: bytes, drop: bytes) -> bytes:
    """Send the beginning of a request, then a byte every 0.1 s; return the response."""
    with socket.create_connection(("127.0.0.1", api.port), timeout=0.1) as client:
        client.sendall(first)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if answer := client.recv(4096):
                    return answer
            except TimeoutError:
                client.sendall(drop)
    raise AssertionError("it was never answered")


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"POST /orders HTTP/1.1\r\nhost: a\r\n", b"x: y\r\n"),
        (b"POST /orders HTTP/1.1\r\nhost: a\r\ncontent-length: 10000\r\n\r\n", b" "),
        (b"POST /orders HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    ],
)
def test_a_request_that_trickles_is_a_408(still_api: Service, first: bytes, drop: bytes) -> None:
    began_s = time.monotonic()
    answer = _drip(still_api, first, drop)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"application/problem+json" in answer
    assert b"the request did not arrive within 1 s" in answer
    assert time.monotonic() - began_s >= 1


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"POST /orders HTTP/1.1\r\nhost: a\r\ncontent-length: 10000\r\n\r\n", b" "),
        (b"POST /orders HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"POST /nowhere HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    ],
)
def test_a_client_that_sends_on_after_the_response_is_disconnected(
    still_api: Service, first: bytes, drop: bytes
) -> None:
    answer, deadline = b"", time.monotonic() + 60
    with socket.create_connection(("127.0.0.1", still_api.port), timeout=0.1) as client, suppress(ConnectionError):
        client.sendall(first)
        while time.monotonic() < deadline:
            try:
                if not (chunk := client.recv(4096)):
                    break
                answer += chunk
            except TimeoutError:
                client.sendall(drop)
    assert answer.startswith((b"HTTP/1.1 408 ", b"HTTP/1.1 404 "))
    assert time.monotonic() < deadline


def test_malformed_requests_are_logged_once_a_second(url: str, processes: Processes) -> None:
    api = processes.start("api", REDIS_URL=url, ACCESS_LOG="all")
    before = len(api.log.read_text().splitlines())
    began_s = time.monotonic()
    for number in range(100):
        target = (b"GET /a\tb", b"CONNECT a:1", b"GET /a\x1b[31mb", b"GET /\xff")[number % 4]
        with socket.create_connection(("127.0.0.1", api.port), timeout=60) as client:
            client.sendall(target + b" HTTP/1.1\r\nhost: a\r\n\r\n")
            answer = client.recv(4096)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"application/problem+json" in answer
        assert b"x-request-id" in answer
    took_s = time.monotonic() - began_s
    wait_until(lambda: "malformed" in api.log.read_text(), "the first line")
    lines = [json.loads(line) for line in api.log.read_text().splitlines()[before:] if "condition ok" not in line]
    assert 1 <= len(lines) <= took_s + 1
    assert lines[0]["event"] == "malformed request rejected"
    assert lines[0]["address"] == "127.0.0.1"
    assert "Traceback" not in api.log.read_text()


def test_a_request_that_stalls_is_a_408(still_api: Service) -> None:
    assert _drip(still_api, b"GET /snapshot HTTP/1.1\r\nhos", b"").startswith(b"HTTP/1.1 408 ")


def test_many_headers_are_a_431(still_api: Service) -> None:
    answer = httpx.get(f"{still_api.url}/snapshot", headers={f"x-{n}": "y" * 100 for n in range(200)})
    assert (answer.status_code, answer.json()["detail"]) == (
        431,
        "the headers of the request exceed the limit of 8192 bytes",
    )


def test_every_response_has_security_headers_and_a_request_id(still_api: Service) -> None:
    answers = [
        httpx.get(f"{still_api.url}/snapshot"),
        httpx.get(f"{still_api.url}/nowhere"),
        httpx.post(f"{still_api.url}/orders", content=b"{"),
        httpx.delete(f"{still_api.url}/snapshot"),
    ]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert re.fullmatch(r"[0-9a-f]{12}-[0-9a-f]+", answer.headers["x-request-id"])
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)


@pytest.mark.parametrize(("given", "valid"), [("my-request.1", True), ("a b", False), ("x" * 65, False)])
def test_a_valid_request_id_is_returned(still_api: Service, given: str, valid: bool) -> None:
    answer = httpx.get(f"{still_api.url}/snapshot", headers={"X-Request-ID": given})
    assert (answer.headers["x-request-id"] == given) is valid


def test_only_pages_of_configured_origins_may_read(url: str, processes: Processes) -> None:
    api = processes.start("api", REDIS_URL=url, CORS_ORIGINS="https://one.example, https://two.example")
    for origin, allowed in (("https://two.example", "https://two.example"), ("https://three.example", None)):
        answer = httpx.get(f"{api.url}/snapshot", headers={"Origin": origin})
        assert answer.status_code == 200
        assert answer.headers.get("access-control-allow-origin") == allowed
        assert "origin" in answer.headers.get_list("vary", split_commas=True)
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        preflight = httpx.options(f"{api.url}/sims/default/orders", headers=headers)
        assert preflight.status_code == 204
        assert preflight.headers.get("access-control-allow-origin") == allowed
        assert ("authorization" in preflight.headers.get("access-control-allow-headers", "")) is (allowed is not None)


def test_a_wildcard_allows_pages_of_all_origins(make_request: Callable[..., Request]) -> None:
    cors = Cors(("https://one.example", "*"))
    request = make_request("/snapshot", method="OPTIONS", origin="https://two.example")
    names = dict(cors.headers(request))
    # The header is the same for all requests, so that caches need not distinguish them.
    assert names[b"access-control-allow-origin"] == b"*"
    assert b"etag" in names[b"access-control-expose-headers"]
    assert b"vary" not in names
    preflight = dict(cors.preflight(request).processed_headers)
    allowed = preflight[b"access-control-allow-headers"].decode().split(", ")
    read = ("authorization", "content-type", "idempotency-key", "if-none-match", "last-event-id", "x-request-id")
    assert {*read, "traceparent", "tracestate"} <= set(allowed)


def test_health_has_security_and_cors_headers(url: str, processes: Processes) -> None:
    api = processes.start("api", REDIS_URL=url, CORS_ORIGINS="https://one.example")
    for path in ("/health", "/health/live", "/health/ready"):
        answer = httpx.get(f"{api.url}{path}", headers={"Origin": "https://one.example"})
        assert answer.headers["access-control-allow-origin"] == "https://one.example"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_without_cors_pages_of_other_origins_may_not_read(still_api: Service) -> None:
    answer = httpx.get(f"{still_api.url}/snapshot", headers={"Origin": "https://one.example"})
    assert "access-control-allow-origin" not in answer.headers


def logged_requests(api: Service) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in api.log.read_text().splitlines()]
    return [line for line in lines if line["event"] == "request completed"]


def test_the_access_log_is_a_line_of_json_for_each_request(url: str, processes: Processes) -> None:
    api = processes.start("api", REDIS_URL=url, AUTH_SECRET=SECRET, ACCESS_LOG="all")
    httpx.get(f"{api.url}/snapshot?format=rows", headers={"X-Request-ID": "mine", "User-Agent": "tester"})
    post_order(api, **bearer_header(create_token("Crimson")))
    post_order(api)
    # Neither a URL nor text.
    with socket.create_connection(("127.0.0.1", api.port), timeout=60) as client:
        client.sendall(b"GET /\xff HTTP/1.1\r\nuser-agent: \xff\xfe\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 400 ")
    wait_until(lambda: "malformed" in api.log.read_text(), "the last line")
    read, ordered, refused = (line for line in logged_requests(api) if line["path"] != "/health")
    assert (read["request"], read["method"], read["path"], read["query"]) == ("mine", "GET", "/snapshot", "format=rows")
    assert (read["status"], read["agent"], read["address"]) == (200, "tester", "127.0.0.1")
    assert isinstance(read["took_ms"], float)
    assert isinstance(read["bytes"], int)
    assert read["bytes"] > 1000
    assert (ordered["status"], ordered["subject"]) == (202, "tester")
    assert (refused["status"], refused["subject"]) == (401, None)
    assert {(line["level"], line["service"]) for line in (read, ordered, refused)} == {("info", "sector-api")}


def test_the_text_access_log_has_a_line_for_each_request(url: str, processes: Processes) -> None:
    api = processes.start("api", REDIS_URL=url, LOG_FORMAT="text")
    httpx.get(f"{api.url}/nothing", headers={"X-Request-ID": "mine"})
    line = wait_until(
        lambda: next((each for each in api.log.read_text().splitlines() if "/nothing" in each), None), "the line"
    )
    assert re.fullmatch(r"\d\d:\d\d:\d\d GET /nothing 404, [\d.]+ ms, request mine of None at 127\.0\.0\.1", line)


@pytest.mark.parametrize(
    ("target", "address"),
    [
        (b"/x", b"\xc2\x9b31m"),
        (b"/x", b"\xe2\x80\xaeabc"),
        (b"/x", b"\x9b31m"),
        (b"/x", b"\xc2\x85answered"),
        (b"/x%1b%0a", b"10.0.0.1"),
        (b"/x%c2%9b31m", b"10.0.0.1"),
        (b"/\x1b[31m", b"10.0.0.1"),
        (b"/x", b"\x1b[2J"),
    ],
)
def test_the_text_log_escapes_what_clients_send(url: str, processes: Processes, target: bytes, address: bytes) -> None:
    api = processes.start("api", REDIS_URL=url, LOG_FORMAT="text", PROXIES="1")
    with socket.create_connection(("127.0.0.1", api.port), timeout=60) as client:
        head = b"GET %b HTTP/1.1\r\nhost: a\r\nuser-agent: %b\r\nx-forwarded-for: %b\r\n\r\n"
        client.sendall(head % (target, address, address))
        assert client.recv(1000).startswith(b"HTTP/1.1 4")
    wait_until(lambda: " 404, " in api.log.read_text() or "malformed" in api.log.read_text(), "the line")
    assert all(line.isprintable() for line in api.log.read_text().split("\n"))


def test_by_default_the_access_log_has_errors_and_no_tokens(url: str, processes: Processes) -> None:
    api = processes.start("api", REDIS_URL=url, AUTH_SECRET=SECRET)
    held = create_token("Azure")
    httpx.get(f"{api.url}/snapshot")
    post_order(api, **bearer_header(held))
    wait_until(lambda: logged_requests(api), "the line of the refusal")
    assert [line["status"] for line in logged_requests(api)] == [403]
    assert held not in api.log.read_text()


def test_after_sigterm_requests_are_served_until_the_delay_ends(url: str, processes: Processes) -> None:
    api = processes.start("api", REDIS_URL=url, SHUTDOWN_DELAY_S="60")
    with httpx.Client() as client:
        assert client.get(f"{api.url}/health/ready").status_code == 200
        api.process.terminate()
        wait_until(lambda: client.get(f"{api.url}/health/ready").status_code == 503, "the answer that it is not ready")
        assert post_order(api).status_code == 202
        assert client.get(f"{api.url}/health/live").status_code == 200
        assert client.get(f"{api.url}/health/ready").json()["stopping"] is True
    # A second signal ends the delay.
    api.process.terminate()
    assert api.process.wait(timeout=60) == 0


def test_a_request_in_flight_at_the_end_is_answered(url: str, processes: Processes) -> None:
    api = processes.start("api", REDIS_URL=url)
    order_id = post_order(api).json()["id"]
    with socket.create_connection(("127.0.0.1", api.port), timeout=60) as client:
        client.sendall(f"GET /orders/{order_id}?wait=2s HTTP/1.1\r\nhost: a\r\n\r\n".encode())
        # The server reads all earlier bytes before it answers this request.
        assert api.health() is not None
        api.process.terminate()
        answer = client.recv(4096)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"pending"' in answer
    assert api.process.wait(timeout=60) == 0
