"""Players that send orders without a pause and record the responses. They never retry."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Self

import httpx

_AT_ONCE = 50


@dataclass
class LoadRecord:
    """The responses to the requests of the players."""

    orders: list[str] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


class OrderLoad:
    """`players` send orders and read the state in turn, during the block."""

    def __init__(self, url: str, headers: dict[str, str], players: int, pause_s: float = 0.02) -> None:
        self._url, self._headers, self._players, self._pause_s = url, headers, players, pause_s
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.record = LoadRecord()

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._play(f"Player{each}")) for each in range(self._players)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping.set()
        await asyncio.gather(*self._tasks)

    async def _play(self, faction: str) -> None:
        # A connection for each request: this nginx learns endpoints by a reload, which closes idle connections.
        # (ingress-nginx needs no reload for that.)
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(base_url=self._url, headers=self._headers, timeout=20, limits=limits) as http:
            joined = await self._ask(http, "POST", "/api/orders", {"type": "join", "faction": faction})
            await self._ask(http, "GET", f"/api/orders/{joined}?wait=10s")
            while not self._stopping.is_set():
                order = {"type": "note", "faction": faction, "text": f"{len(self.record.orders)}"}
                await self._ask(http, "POST", "/api/orders", order)
                await self._ask(http, "GET", "/api/snapshot")
                await self._ask(http, "GET", "/health/ready")
                await asyncio.sleep(self._pause_s)

    async def _ask(self, http: httpx.AsyncClient, method: str, path: str, body: dict[str, str] | None = None) -> str:
        """Return the id of the order if it was accepted, else None."""
        try:
            answer = await http.request(method, path, json=body)
        except httpx.HTTPError as error:
            self.record.faults.append(f"{method} {path}: {error!r}")
            return ""
        self.record.answers[answer.status_code] += 1
        if answer.status_code == httpx.codes.ACCEPTED:
            id_: str = answer.json()["id"]
            self.record.orders.append(id_)
            return id_
        if not answer.is_success:
            self.record.faults.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        return ""


async def outcomes(url: str, headers: dict[str, str], orders: list[str]) -> Counter[str]:
    """Return the number of these orders by outcome: applied, or the reason of the rejection."""
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as http:

        async def end(order: str) -> str:
            order_status = (await http.get(f"/api/orders/{order}?wait=10s")).json()
            reasons = [str(event["reason"]) for event in order_status.get("events", []) if "reason" in event]
            return " ".join([order_status.get("status", str(order_status)), *reasons])

        ends: Counter[str] = Counter()
        for start in range(0, len(orders), _AT_ONCE):
            ends.update(await asyncio.gather(*(end(each) for each in orders[start : start + _AT_ONCE])))
        return ends
