"""Order rates: how fast a token and an address may submit orders."""

import time
from collections.abc import Iterator
from typing import NamedTuple

from sector.api.authentication import Bearer
from sector.process.connections import client_network
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
        self._known: dict[tuple[str, str], tuple[Rate, ...]] = {}

    def of(self, bearer: Bearer, address: str) -> tuple[Rate, ...]:
        """Return the rates of a client."""
        asker = ("" if bearer.open else bearer.subject, client_network(address))
        known = self._known.get(asker)
        if known is None:
            if len(self._known) >= _MAX_CLIENTS:
                del self._known[next(iter(self._known))]
            known = self._known[asker] = tuple(self._new(*asker))
        return known

    def _new(self, subject: str, address: str) -> Iterator[Rate]:
        if self._per_token and subject:
            yield _rate("token", subject, self._per_token)
        if self._per_address:
            yield _rate("address", address, self._per_address)


def _rate(kind: str, who: str, a_second: float) -> Rate:
    return Rate(f"{kind} {who}", a_second, max(1, round(a_second * _BURST_S)))


class _Refusal(NamedTuple):
    """Of whom a request was refused, by which rate, and until when. Not the error itself, whose traceback holds the request."""

    until_s: float
    of: str
    per_second: float


class RateLimitCache:
    """Clients over their rate: until they have waited, their requests are rejected before the body is parsed."""

    def __init__(self) -> None:
        self._refusals: dict[tuple[str, str], _Refusal] = {}

    def note(self, bearer: Bearer, address: str, refused: RateLimited, asked: admission.Request) -> None:
        """Remember a rejected client until a single order of it would be accepted."""
        client = bearer.subject, client_network(address)
        # Behind all others, of which the oldest goes first.
        self._refusals.pop(client, None)
        if len(self._refusals) >= _MAX_CLIENTS:
            del self._refusals[next(iter(self._refusals))]
        rate = next(rate for rate in asked.rates if rate.client == refused.client)
        more = min(asked.cost or len(asked.orders), rate.burst) - 1
        # No client owes more than that, whatever Redis' clock says.
        wait_s = min(refused.retry_after_s, (rate.burst + MAX_COST) / rate.per_second)
        until_s = time.monotonic() + wait_s - more / rate.per_second
        self._refusals[client] = _Refusal(until_s, refused.client, refused.per_second)

    def check(self, bearer: Bearer, address: str) -> None:
        """Raise RateLimited if the client has to wait longer."""
        if not self._refusals:
            return
        client = bearer.subject, client_network(address)
        if (known := self._refusals.get(client)) is None:
            return
        left_s = known.until_s - time.monotonic()
        if left_s > 0:
            raise RateLimited(known.of, known.per_second, left_s)
        del self._refusals[client]
