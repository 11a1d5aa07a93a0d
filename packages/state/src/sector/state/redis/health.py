"""The health of Redis for a process that follows a sim. The follower reports errors of reads, and a probe tests writes."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from redis.exceptions import RedisError

from sector.models.deprecated_names import deprecated_names
from sector.state.keys import SimKeys
from sector.state.redis.client import Client
from sector.state.redis.connection import acquire_connection, execute
from sector.state.redis.error_messages import concerns_one_sim, describe
from sector.state.redis.replies import checked
from sector.state.watch.sim_watcher import REDIS, Fault, conditions

type Probe = Callable[[Client, str], Awaitable[None]]
"""Called with a client and the id of a sim. Raises redis.exceptions.RedisError."""


class UpdateCondition(Protocol):
    """Updates a condition of a process.

    The arguments are the condition, its error as text and cause (or None if it is ok), and a detail.
    """

    def __call__(
        self, condition: str, error: tuple[str, str] | None, detail: str = "", *, blocks: bool = True
    ) -> None: ...


async def probe_writes(redis: Client, sim_id: str) -> None:
    """Execute a write without an effect.

    Raises the redis.exceptions.RedisError of any write, such as for a full disk or a replica.
    """
    # No such key exists, and XX creates none.
    await execute(redis, "SET", SimKeys(sim_id).rate(""), "", "XX")


async def probe_disk(redis: Client, sim_id: str) -> None:
    """Ask Redis whether it can write to its disk, for users without the right to write.

    Raises redis.exceptions.RedisError.
    """
    async with acquire_connection(redis, SimKeys(sim_id).head) as connection:
        checked(await connection.pipeline(("PING",)))


class RedisHealth:
    """Updates the conditions `redis` and `sim`. The first is ok if the follower can read and the probe succeeds.

    `where`: the address of Redis for operators, without user and password.
    """

    def __init__(self, redis: Client, sim_id: str, probe: Probe, note: UpdateCondition, where: str) -> None:
        self._redis = redis
        self._sim_id = sim_id
        self._probe = probe
        self._note = note
        self._where = where
        self._conditions: dict[str, tuple[str, str] | None] = {}
        self._blocks = True
        self._write_fault: tuple[str, str] | None = None

    def report(self, fault: Fault | None) -> None:
        """Update the conditions after a report of the follower of the sim. `fault`: its error, or None if it can read."""
        self._conditions = conditions(fault)
        self._blocks = fault is None or not concerns_one_sim(fault)
        self._update()

    async def check(self) -> None:
        """Run the probe once and update the condition."""
        before = self._write_fault
        try:
            await self._probe(self._redis, self._sim_id)
        except RedisError as error:
            self._write_fault = (describe(error), f"{type(error).__name__}: {error}")
        else:
            self._write_fault = None
        if self._write_fault != before:
            self._update()

    def _update(self) -> None:
        for condition, fault in self._conditions.items():
            if condition == REDIS and fault is None and self._write_fault is not None:
                continue
            self._note(condition, fault, self._where if condition == REDIS else "", blocks=self._blocks)
        if self._write_fault is not None and self._conditions.get(REDIS) is None:
            self._note(REDIS, self._write_fault, self._where)


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(__name__, {"Note": "UpdateCondition"})
