"""Shared usage of request limits: what clients used in one process, added up over all processes.

The generic cell rate algorithm (ITU-T I.371), as in admit.lua. It needs no script, so that a process may share its limits without the
right to run scripts.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from redis.exceptions import RedisError

from sector.state.keys import SimKeys
from sector.state.redis.client import Client
from sector.state.redis.command_encoding import Command
from sector.state.redis.connection import acquire_connection
from sector.state.redis.replies import as_bytes, as_list, checked

log = logging.getLogger(__name__)

MAX_OWED_S, MAX_OWED_UNITS = 60.0, 1000
"""A client owes no more seconds, or units if these take longer, whatever it used, and whatever the clock of Redis was set to."""
_MAX_DIGITS = 17
_ATTEMPTS = 3


class Spent(NamedTuple):
    """Units that a client used. `client`: who, such as `requests address 10.0.0.1`; `per_second`: units it may use."""

    client: str
    per_second: float
    units: float


async def spend(redis: Client, sim_id: str, spent: Sequence[Spent]) -> list[float] | None:
    """Add up what clients used, under the keys of a sim. Return of each the seconds until all that it used is paid for.

    None: other processes wrote the same keys each time. Raises redis.exceptions.RedisError.
    """
    keys = SimKeys(sim_id)
    names = [keys.rate(each.client) for each in spent]
    async with acquire_connection(redis, keys.head) as connection:
        for _ in range(_ATTEMPTS):
            _, time, until = checked(await connection.pipeline(("WATCH", *names), ("TIME",), ("MGET", *names)))
            seconds, microseconds = (int(as_bytes(part) or 0) for part in as_list(time))
            now_us = seconds * 1_000_000 + microseconds
            owed_us = [
                _owed_us(as_bytes(value), now_us, each) for value, each in zip(as_list(until), spent, strict=True)
            ]
            writes: list[Command] = [
                ("SET", name, now_us + owed, "PX", owed // 1000 + 1) for name, owed in zip(names, owed_us, strict=True)
            ]
            *_, done = checked(await connection.pipeline(("MULTI",), *writes, ("EXEC",)))
            if done is not None:
                checked(as_list(done))
                return [each / 1_000_000 for each in owed_us]
    return None


def _owed_us(until: bytes | None, now_us: int, spent: Spent) -> int:
    max_us = round(max(MAX_OWED_S, MAX_OWED_UNITS / spent.per_second) * 1_000_000)
    stored_us = int(until) - now_us if until and until.isdigit() and len(until) <= _MAX_DIGITS else 0
    # What says more is damaged, or the clock was set back since.
    before_us = stored_us if 0 < stored_us <= max_us else 0
    return min(before_us + round(spent.units * 1_000_000 / spent.per_second), max_us)


@dataclass(frozen=True, slots=True)
class SharedSpending:
    """Adds up what clients used of the requests that one kind of process answers. `prefix`: of the keys, which tells the kinds apart."""

    redis: Client
    sim_id: str
    prefix: str

    async def __call__(self, used: Sequence[tuple[str, float, float]]) -> list[float] | None:
        """Take client, units per second and units used of each; return what `spend` does, or None where Redis does not answer."""
        spent = [Spent(f"{self.prefix}{client}", per_second, units) for client, per_second, units in used]
        try:
            return await spend(self.redis, self.sim_id, spent)
        except RedisError as error:
            # What is wrong with Redis, the conditions say. Meanwhile each process limits for itself.
            log.debug("rate usage not shared", extra={"error": str(error)})
            return None
