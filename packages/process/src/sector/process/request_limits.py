"""Request limits: how much work a token and an address may cause, over all replicas.

A request costs one unit, and more for what it sends, what it is sent, and the time that it takes. Each process counts for itself and
decides at once. Once a second it reports what busy clients used, and learns what they used at other replicas.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sector.process.client_networks import client_network
from sector.process.retry import wait_for_stop

BURST_S = 10.0
"""A client that used nothing for so long may use the units of so many seconds at once."""
_SHARE_S = 1.0
_MAX_CLIENTS = 10_000
_MAX_SHARED = 1_000
_BUSY = 0.1
"""Clients that used less than this part of their rate are not shared: they are far from it, whatever they use elsewhere."""
_RECEIVED_BYTES = 16 * 2**10
_SENT_BYTES = 64 * 2**10
_WORK_S = 0.001


def units(received: int, sent: int, work_s: float = 0.0) -> float:
    """Return what a request costs, by its bytes and by the seconds of work on it."""
    return 1 + received / _RECEIVED_BYTES + sent / _SENT_BYTES + work_s / _WORK_S


class Usage(NamedTuple):
    """Units that a client used. `client`: who, such as `address 10.0.0.1`; `per_second`: units it may use."""

    client: str
    per_second: float
    units: float


type Share = Callable[[Sequence[Usage]], Awaitable[Sequence[float] | None]]
"""Reports usage, and returns of each client the seconds until all that it used anywhere is paid for; None if that failed."""


class TooManyRequests(Exception):
    """A client exceeds its rate. `client`: who; `retry_after_s`: seconds after which this would have been accepted."""

    def __init__(self, client: str, per_second: float, retry_after_s: float) -> None:
        super().__init__(f"{client} exceeds the limit of {per_second:g} requests per second")
        self.client = client
        self.per_second = per_second
        self.retry_after_s = retry_after_s


@dataclass(slots=True)
class _Client:
    """`owed_until_s`: when all that it used is paid for; `used`: units since they were shared last."""

    per_second: float
    owed_until_s: float = 0.0
    used: float = 0.0


class RequestLimits:
    """Units per second of a token and of an address; 0: unlimited. `clock`: seconds."""

    def __init__(
        self, share: Share, *, per_token: float, per_address: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._share = share
        self._per_token = per_token
        self._per_address = per_address
        self._clock = clock
        self._clients: dict[str, _Client] = {}

    def check(self, subject: str | None, address: str) -> None:
        """Raise TooManyRequests if the token or the address has used up its units."""
        now_s = self._clock()
        for name, per_second in self._names(subject, address):
            client = self._clients.get(name)
            wait_s = client.owed_until_s - now_s - BURST_S if client else 0.0
            if wait_s > 0:
                raise TooManyRequests(name, per_second, wait_s)

    def charge(self, subject: str | None, address: str, cost: float) -> None:
        """Note that a request used `cost` units."""
        now_s = self._clock()
        for name, per_second in self._names(subject, address):
            client = self._clients.get(name)
            if client is None:
                self._make_room(now_s)
                client = self._clients[name] = _Client(per_second)
            client.owed_until_s = max(client.owed_until_s, now_s) + cost / per_second
            client.used += cost

    def _names(self, subject: str | None, address: str) -> list[tuple[str, float]]:
        names = []
        if self._per_address:
            names.append((f"address {client_network(address)}", self._per_address))
        if self._per_token and subject:
            names.append((f"token {subject}", self._per_token))
        return names

    def _make_room(self, now_s: float) -> None:
        if len(self._clients) < _MAX_CLIENTS:
            return
        self._clients = {name: each for name, each in self._clients.items() if each.owed_until_s > now_s}
        while len(self._clients) >= _MAX_CLIENTS:
            del self._clients[next(iter(self._clients))]

    async def run(self, stop: asyncio.Event) -> None:
        """Share once a second, until `stop`."""
        while not stop.is_set():
            await wait_for_stop(stop, _SHARE_S)
            await self.share()

    async def share(self) -> None:
        """Report what busy clients used. Raises what the report raises."""
        busy = [name for name, each in self._clients.items() if each.used > each.per_second * _BUSY][:_MAX_SHARED]
        used = [Usage(name, self._clients[name].per_second, self._clients[name].used) for name in busy]
        now_s = self._clock()
        for each in self._clients.values():
            each.used = 0.0
        if not busy:
            return
        for name, owed_s in zip(busy, await self._share(used) or (), strict=False):
            if (client := self._clients.get(name)) is not None:
                client.owed_until_s = max(client.owed_until_s, now_s + owed_s)
