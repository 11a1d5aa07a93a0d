"""Abuse: everything except valid orders, at a steady pace. Exits with 1 if a response is not the documented one."""

import asyncio
import itertools
import json
import sys
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

_PAUSE_S = 0.02
_SLOW = 50
_HUGE_BYTES = 100 * 2**20
_NOTE = b'{"type":"note","faction":"Crimson","text":"hello"}'


def _post(body: bytes, *more: bytes, length: int | None = None) -> bytes:
    lines = (b"POST /orders HTTP/1.1", b"host: bench", *more, b"content-length: %d" % (length or len(body)))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def requests() -> Iterator[tuple[str, bytes, set[int]]]:
    """Yield name, request and possible statuses of each kind of abuse, in an endless cycle."""
    forged = b"authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmVkIGJ5IG5vYm9keQ"
    kinds = [
        ("a body of 100 MB", _post(b"[" * 2**20, length=_HUGE_BYTES), {401, 413}),
        ("a forged token", _post(_NOTE, forged), {401}),
        ("no token", _post(_NOTE), {401}),
        ("many headers", _post(_NOTE, *(b"x-%d: %b" % (n, b"y" * 100) for n in range(200))), {431}),
        ("a path out of the house", b"GET /sims/..%2f..%2fetc/snapshot HTTP/1.1\r\nhost: bench\r\n\r\n", {404}),
        ("an unknown parameter", b"GET /snapshot?colour=red HTTP/1.1\r\nhost: bench\r\n\r\n", {422}),
        ("no HTTP", b"\x16\x03\x01\x02\x00\r\n\r\n", {400}),
    ]
    return itertools.cycle(kinds)


def bodies() -> Iterator[tuple[str, bytes, set[int]]]:
    """Yield bodies that are sent with a valid token, in an endless cycle."""
    ships = b'{"type":"move_fleet","faction":"Crimson","system":"S0","target":"S1","ships":%b}'
    kinds = [
        ("deeply nested", b"[" * 90_000, {400}),
        ("too many brackets", b"[" * 500_000, {422}),
        ("truncated", _NOTE[:-5], {400}),
        ("a key twice", b'{"type":"join","type":"note"}', {400}),
        ("no Unicode", b'{"type":"\xff\xfe"}', {400}),
        ("NaN", ships % b"NaN", {400}),
        ("1e400", ships % b"1e400", {422}),
        ("2^80", ships % str(2**80).encode(), {422}),
        ("null", ships % b"null", {422}),
        ("an unknown field", b'{"type":"join","faction":"Me","more":1}', {422}),
        ("a hundred that are none", json.dumps([{"type": "fly"}] * 100).encode(), {207}),
    ]
    return itertools.cycle(kinds)


async def main(url: str, token: str) -> int:
    """Send until standard input ends; prints the number of requests, and each undocumented response."""
    host, port = str(urlsplit(url).hostname), int(urlsplit(url).port or 80)
    wrong: Counter[str] = Counter()
    sent = 0

    async def send(kind: str, request: bytes, expected: set[int]) -> None:
        nonlocal sent
        sent += 1
        status = await _status(host, port, request)
        # A server closes the connection of a client that sends after the response, so the response may be lost.
        if status not in expected and not (status == 0 and len(request) > 2**18):
            wrong[f"{kind}: {status}"] += 1

    async def flood() -> None:
        bearer = f"authorization: Bearer {token}".encode()
        for outer, inner in zip(requests(), bodies(), strict=False):
            await send(*outer)
            await send(inner[0], _post(inner[1], bearer), inner[2])
            await asyncio.sleep(_PAUSE_S)

    async def slow() -> None:
        while True:
            _, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(b"POST /orders HTTP/1.1\r\n")
                while not writer.is_closing():
                    writer.write(b"x: y\r\n")
                    await writer.drain()
                    await asyncio.sleep(0.5)
            except ConnectionError:
                continue
            finally:
                writer.close()

    tasks = [asyncio.create_task(flood()) for _ in range(2)] + [asyncio.create_task(slow()) for _ in range(_SLOW)]
    await asyncio.to_thread(sys.stdin.read)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    print(json.dumps({"sent": sent, "wrong": wrong}))
    return 1 if wrong else 0


async def _status(host: str, port: int, request: bytes) -> int:
    """Return the status of the response; 0 if the connection was closed without one."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(request)
        line = await reader.readline()
        return int(line.split()[1]) if line.startswith(b"HTTP/1.1 ") else 0
    except ConnectionError:
        return 0
    finally:
        writer.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
