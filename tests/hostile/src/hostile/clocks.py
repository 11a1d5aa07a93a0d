"""What clocks that were set back leave in Redis: times an hour ahead. A new case is one line."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from redis.asyncio import Redis

from sector.state.keys import WORKERS, SimKeys

HOUR_S = 3600
_KEYS = SimKeys("default")
_ADDRESS = "address 127.0.0.1"
_FIELDS = (
    "issuer",
    "anonymous",
    "scope",
    "player",
    "order",
    '{"type":"note","faction":"Azure","text":"from the future"}',
)


@dataclass(frozen=True)
class ClockCase:
    """`act` leaves in Redis what lies there after its clock was set back."""

    name: str
    act: Callable[[Redis], Awaitable[object]]


def _ahead_ms() -> int:
    return round((time.time() + HOUR_S) * 1000)


def _rate(of: str) -> ClockCase:
    return ClockCase(f"a rate of {of}", lambda redis: redis.set(_KEYS.rate(of), _ahead_ms() * 1000))


CASES = (
    ClockCase("a lease for an hour", lambda redis: redis.pexpire(_KEYS.lease, HOUR_S * 1000)),
    ClockCase("a lease without an end", lambda redis: redis.persist(_KEYS.lease)),
    ClockCase("a worker that is there for an hour", lambda redis: redis.zadd(WORKERS, {"gone:1234": _ahead_ms()})),
    _rate(_ADDRESS),
    _rate(f"requests {_ADDRESS}"),
    _rate(f"viz:{_ADDRESS}"),
    ClockCase("bytes of an issuer", lambda redis: redis.set(_KEYS.rate("stored anonymous"), _ahead_ms())),
    ClockCase("a commit", lambda redis: redis.hset(_KEYS.head, "at_ms", str(_ahead_ms()))),
    ClockCase("an order", lambda redis: redis.execute_command("XADD", _KEYS.orders, f"{_ahead_ms()}-0", *_FIELDS)),
)
