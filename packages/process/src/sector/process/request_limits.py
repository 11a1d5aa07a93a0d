"""Request limits: how much work a token and an address may cause, over all replicas.

A request costs one unit, and more for the bytes that it sends and receives and for the time that it takes. Each process
decides at once with its own counts. Once per second it reports the usage of busy clients, and gets their usage at other
replicas.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sector.process.client_networks import client_network
from sector.process.retry import wait_for_stop

BURST_S = 10.0
"""A client that was idle for this time may use the units of this time in a burst."""
_SHARE_S = 1.0
_MAX_CLIENTS = 10_000
_MAX_SHARED = 1_000
_BUSY = 0.1
"""Clients below this share of their rate are not reported, because they are far from the limit."""
_RECEIVED_BYTES = 16 * 2**10
_SENT_BYTES = 64 * 2**10
_WORK_S = 0.001


def units(received: int, sent: int, work_s: float = 0.0) -> float:
    """Return the cost of a request in units. `received` and `sent`: bytes. `work_s`: seconds of work."""
    return 1 + received / _RECEIVED_BYTES + sent / _SENT_BYTES + work_s / _WORK_S


class Usage(NamedTuple):
    """The units that a client used. `client`: a name such as `address 10.0.0.1`. `per_second`: its rate limit in units."""

    client: str
    per_second: float
    units: float


type Share = Callable[[Sequence[Usage]], Awaitable[Sequence[float] | None]]
"""Reports usage.

Returns, for each client, the seconds until its usage at all replicas is within its rate, or None after an error.
"""


class TooManyRequests(Exception):
    """A client exceeds its rate.

    `client`: its name. `retry_after_s`: after how many seconds this request would be accepted.
    """

    def __init__(self, client: str, per_second: float, retry_after_s: float) -> None:
        super().__init__(f"{client} exceeds the limit of {per_second:g} requests per second")
        self.client = client
        self.per_second = per_second
        self.retry_after_s = retry_after_s


@dataclass(slots=True)
class _Client:
    """The usage of a client. `owed_until_s`: when its usage is within its rate. `used`: units since the last report."""

    per_second: float
    owed_until_s: float = 0.0
    used: float = 0.0


class RequestLimits:
    """Limits the units per second of a token and of an address.

    A limit of 0 means unlimited. `clock`: a clock in seconds.
    """

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
        """Count `cost` units for a request."""
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
        """Report usage once per second until `stop` is set."""
        while not stop.is_set():
            await wait_for_stop(stop, _SHARE_S)
            await self.share()

    async def share(self) -> None:
        """Report the usage of busy clients. Errors of the report are not caught."""
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
