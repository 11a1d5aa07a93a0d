"""A stranger: a client without a token, where tokens are needed, who sends what it likes."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence

import httpx
import orjson

from hostile.attempt import Attempt, TargetWorld
from hostile.legitimate_client import ADDRESS, FORWARDED_FOR

_FOR_S = 4.0
_CROWD_ADDRESS = "127.0.0.2"
"""Not that of the bystander."""
_NO_TOKEN = (401, 403)
_LIMITED = (429, 503)


async def repeated(for_s: float, clients: int, act: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
    """Have so many clients act again and again, at the same time."""

    async def one() -> None:
        async with httpx.AsyncClient(timeout=60) as client:
            while True:
                await act(client)

    tasks = [asyncio.create_task(one()) for _ in range(clients)]
    done, pending = await asyncio.wait(tasks, timeout=for_s, return_when=asyncio.FIRST_EXCEPTION)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task in done:
        task.result()


def _post(path: str, body: bytes, clients: int = 4) -> Callable[[TargetWorld], Awaitable[None]]:
    async def act(target: TargetWorld) -> None:
        async def send(client: httpx.AsyncClient) -> None:
            response = await client.post(f"{target.api.url}{path}", content=body)
            assert response.status_code in (*_NO_TOKEN, *_LIMITED), response.text[:200]
            assert len(response.content) < 2_000

        await repeated(_FOR_S, clients, send)

    return act


def _get(
    path: str, clients: int, statuses: Sequence[int] = (200, 304, 404)
) -> Callable[[TargetWorld], Awaitable[None]]:
    async def act(target: TargetWorld) -> None:
        async def ask(client: httpx.AsyncClient) -> None:
            response = await client.get(f"{target.api.url}{path}")
            assert response.status_code in (*statuses, *_LIMITED), response.text[:200]

        await repeated(_FOR_S, clients, ask)

    return act


def _streams(path: str, clients: int) -> Callable[[TargetWorld], Awaitable[None]]:
    async def act(target: TargetWorld) -> None:
        async def read(client: httpx.AsyncClient) -> None:
            async with client.stream("GET", f"{target.api.url}{path}") as response:
                assert response.status_code in (200, *_LIMITED)
                async for _ in response.aiter_bytes():
                    pass

        await repeated(_FOR_S, clients, read)

    return act


def _crowd(path: str, clients: int, *, behind_proxy: bool = False) -> Callable[[TargetWorld], Awaitable[None]]:
    """Send a request over each of many connections at the same time, again and again, from one address.

    `behind_proxy`: the connections come from a proxy, as those of the legitimate client do, and the client has a /64.
    """
    source = ADDRESS if behind_proxy else _CROWD_ADDRESS
    forwarded_for = itertools.cycle(f"{FORWARDED_FOR}: 2001:db8::{number:x}\r\n" for number in range(1, 2**12))

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        field = next(forwarded_for) if behind_proxy else ""
        writer.write(f"GET {path} HTTP/1.1\r\nhost: a\r\n{field}\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert int(head.split(b" ", 2)[1]) in (200, *_LIMITED), head
        await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))

    async def act(target: TargetWorld) -> None:
        url = httpx.URL(target.api.url)
        connections = [
            await asyncio.open_connection(url.host, url.port, local_addr=(source, 0)) for _ in range(clients)
        ]
        try:
            end_s = asyncio.get_running_loop().time() + _FOR_S
            while asyncio.get_running_loop().time() < end_s:
                await asyncio.gather(*(ask(*each) for each in connections))
        finally:
            for _, writer in connections:
                writer.close()

    return act


_UNKNOWN_FIELDS = orjson.dumps(
    {"type": "note", "faction": "Crimson", "text": "x"} | {f"k{n}": 1 for n in range(90_000)}
)
_SYSTEMS = orjson.dumps({"id": "new", "config": {"map": {"systems": [{}] * 300_000}}})

ATTEMPTS = (
    Attempt(
        "streams of a faction that does not exist, from the beginning",
        _streams("/events/stream?tick=0&faction=Nobody", 150),
    ),
    Attempt("events of a faction that does not exist", _get("/events?faction=Nobody&limit=1000", 8)),
    Attempt("all events, again and again", _get("/events?limit=1000", 8)),
    Attempt("the state at the first tick", _get("/snapshot?tick=1", 16)),
    Attempt("the state in columns, uncompressed", _get("/snapshot?format=columns", 16)),
    Attempt("the map", _get("/map", 32)),
    Attempt("the list of sims", _get("/sims?limit=1000", 16)),
    Attempt("a sim that does not exist", _get("/sims/zz/map", 64)),
    Attempt("the OpenAPI document", _get("/openapi.json", 16)),
    Attempt("the documentation", _get("/docs", 16)),
    Attempt("an order that does not exist", _get("/orders/1-1?wait=5s", 64)),
    Attempt("a crowd that asks for the map", _crowd("/map", 900)),
    Attempt("a crowd that asks for the list of sims", _crowd("/sims", 900)),
    Attempt("a crowd behind a proxy that asks for the map", _crowd("/map", 900, behind_proxy=True), behind_proxy=True),
    Attempt("metrics", _get("/metrics", 16)),
    Attempt("health", _get("/health", 16)),
    Attempt("a query of 8,000 bytes", _get(f"/events?after={'9' * 7_000}", 16, (422,))),
    Attempt("an order with 90,000 unknown fields", _post("/orders", _UNKNOWN_FIELDS)),
    Attempt("a sim with 300,000 invalid systems", _post("/sims", _SYSTEMS)),
    Attempt("a body of 1 MiB of brackets", _post("/orders", b"[" * 2**20)),
)
