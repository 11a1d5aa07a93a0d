"""Order rate limits: how fast a token and an address may submit orders. admit.lua enforces them."""

import time
from collections.abc import Iterator
from typing import NamedTuple

from sector.api.authentication import Bearer
from sector.process.client_networks import client_network
from sector.state.errors import RateLimited
from sector.state.log import admission
from sector.state.log.admission import MAX_COST, Rate

_BURST_S = 10
_MAX_CLIENTS = 10_000


class OrderRates:
    """Orders per second that a token and an address may submit; 0: unlimited."""

    def __init__(self, per_token: float, per_address: float) -> None:
        self._per_token = per_token
        self._per_address = per_address
        self._cache: dict[tuple[str | None, str], tuple[Rate, ...]] = {}

    def of(self, bearer: Bearer, address: str) -> tuple[Rate, ...]:
        """Return the rates of a client."""
        client = None if bearer.open else bearer.subject, client_network(address)
        rates = self._cache.get(client)
        if rates is None:
            if len(self._cache) >= _MAX_CLIENTS:
                del self._cache[next(iter(self._cache))]
            rates = self._cache[client] = tuple(self._new(*client))
        return rates

    def _new(self, subject: str | None, address: str) -> Iterator[Rate]:
        if self._per_token and subject:
            yield _rate("token", subject, self._per_token)
        if self._per_address:
            yield _rate("address", address, self._per_address)


def _rate(kind: str, name: str, per_second: float) -> Rate:
    return Rate(f"{kind} {name}", per_second, max(1, round(per_second * _BURST_S)))


class _Rejection(NamedTuple):
    """Which rate a client exceeded, and until when it must wait. The error itself is not stored: its traceback holds the request."""

    until_s: float
    of: str
    per_second: float


class RateLimitCache:
    """Clients over their rate: until they have waited, their requests are rejected before the body is parsed."""

    def __init__(self) -> None:
        self._rejections: dict[tuple[str, str], _Rejection] = {}

    def add(self, bearer: Bearer, address: str, error: RateLimited, request: admission.Request) -> None:
        """Remember a rejected client until a single order of it would be accepted."""
        client = bearer.subject, client_network(address)
        # It becomes the newest entry. A full cache evicts the oldest.
        self._rejections.pop(client, None)
        if len(self._rejections) >= _MAX_CLIENTS:
            del self._rejections[next(iter(self._rejections))]
        rate = next(rate for rate in request.rates if rate.client == error.client)
        other_orders = min(len(request.orders) if request.cost is None else request.cost, rate.burst) - 1
        # A client never has to wait longer than this, even if the clock of Redis is wrong.
        wait_s = min(error.retry_after_s, (rate.burst + MAX_COST) / rate.per_second)
        until_s = time.monotonic() + wait_s - other_orders / rate.per_second
        self._rejections[client] = _Rejection(until_s, error.client, error.per_second)

    def check(self, bearer: Bearer, address: str) -> None:
        """Raise RateLimited if the client has to wait longer."""
        if not self._rejections:
            return
        client = bearer.subject, client_network(address)
        if (rejection := self._rejections.get(client)) is None:
            return
        wait_s = rejection.until_s - time.monotonic()
        if wait_s > 0:
            raise RateLimited(rejection.of, rejection.per_second, wait_s)
        del self._rejections[client]
