"""Errors of the state of sims. Errors of Redis itself are `redis.exceptions.RedisError`."""

from typing import TYPE_CHECKING

from sector.models.deprecated_names import deprecated_names


class StateError(Exception):
    """The base class of errors of the state in Redis."""


class SimNotFound(StateError):
    """The sim does not exist, or not yet."""

    def __init__(self, sim_id: str) -> None:
        super().__init__(f"sim {sim_id!r} does not exist")
        self.sim_id = sim_id


class FollowerEnded(StateError):
    """This process stopped reading the sim. A client that waits for it must send its request again."""

    def __init__(self, sim_id: str) -> None:
        super().__init__(f"this process stopped reading sim {sim_id!r}: send the request again")
        self.sim_id = sim_id


class FollowerBehind(StateError):
    """This process did not read the tick `tick` of the sim in time."""

    def __init__(self, sim_id: str, tick: int) -> None:
        super().__init__(f"this process has not read tick {tick} of sim {sim_id!r} yet: try again")
        self.sim_id = sim_id
        self.tick = tick


class LeaseLost(StateError):
    """The lease has expired or has another owner. The worker must not write what it computed under the lease.

    `holder`: the present owner, or None.
    """

    def __init__(self, sim_id: str, holder: str | None) -> None:
        super().__init__(f"the lease of sim {sim_id!r} {f'is owned by worker {holder}' if holder else 'is expired'}")
        self.sim_id = sim_id
        self.holder = holder


class CommitConflict(StateError):
    """The lease or the head changed between the read and EXEC, so nothing was written. The worker must read again."""

    def __init__(self, sim_id: str, tick: int) -> None:
        super().__init__(
            f"tick {tick} of sim {sim_id!r} was not committed, because its lease or head changed: the worker retries"
        )
        self.sim_id = sim_id
        self.tick = tick


class HistoryRewound(StateError):
    """The head is at an earlier tick than the last one that this process read.

    Redis lost data, or the sim was created again.
    """

    def __init__(self, sim_id: str, last_tick: int, head_tick: int) -> None:
        super().__init__(
            f"sim {sim_id!r} went back from tick {last_tick} to tick {head_tick}: Redis lost data, or the sim was created again"
        )
        self.sim_id = sim_id
        self.last_tick = last_tick
        self.head_tick = head_tick


class HistoryGone(StateError):
    """The history of the sim does not contain the tick `tick`, because it was trimmed or never existed."""

    def __init__(self, sim_id: str, tick: int) -> None:
        super().__init__(f"tick {tick} of sim {sim_id!r} is not in its history: read a tick within the retention")
        self.sim_id = sim_id
        self.tick = tick


class SimExists(StateError):
    """A sim with this id already exists."""

    def __init__(self, sim_id: str) -> None:
        super().__init__(f"sim {sim_id!r} already exists: use another id, or remove it first")
        self.sim_id = sim_id


class HistoryBroken(StateError):
    """The stored history of a sim is inconsistent at the tick `tick`. `reason`: what is wrong with it."""

    def __init__(self, sim_id: str, tick: int, reason: str) -> None:
        super().__init__(f"the history of sim {sim_id!r} is damaged at tick {tick}: {reason}")
        self.sim_id = sim_id
        self.tick = tick
        self.reason = reason


class HeadError(StateError):
    """A field of the head of a sim has a value that no version of Sector writes."""

    def __init__(self, field: str, value: str) -> None:
        super().__init__(f"the head of a sim cannot be read: field {field} has the invalid value {value[:60]!r}")
        self.field = field
        self.value = value


class SimImpossible(StateError):
    """The requested sim cannot be created. `reason`: why."""

    def __init__(self, sim_id: str, reason: str) -> None:
        super().__init__(f"sim {sim_id!r} cannot be created: {reason}")
        self.sim_id = sim_id
        self.reason = reason


class RequestError(StateError):
    """The stored request for a sim cannot be parsed."""

    def __init__(self, sim_id: str) -> None:
        super().__init__(f"the request to create sim {sim_id!r} cannot be read: remove it with `sector-state remove`")
        self.sim_id = sim_id


class WorldFailed(StateError):
    """The rules of the world raised an unexpected error, so the tick was not written.

    `__cause__` is that error.
    """

    def __init__(self, sim_id: str, tick: int, cause: Exception) -> None:
        super().__init__(f"the world of sim {sim_id!r} failed at tick {tick}: {type(cause).__name__}: {cause}")
        self.sim_id = sim_id
        self.tick = tick


class NotDurable(StateError):
    """Redis did not confirm the durability of orders in time. The log contains the orders `order_ids` nevertheless."""

    def __init__(self, durability: str, order_ids: list[str], reason: str) -> None:
        super().__init__(f"the orders did not reach the durability {durability!r}: {reason}")
        self.durability = durability
        self.order_ids = order_ids
        self.reason = reason


class SimAlreadyFinished(StateError):
    """The sim has finished and accepts no orders."""

    def __init__(self, sim_id: str, tick: int) -> None:
        super().__init__(f"sim {sim_id} finished at tick {tick} and accepts no orders")
        self.sim_id = sim_id
        self.tick = tick


class QueueFull(StateError):
    """The order log has `pending` orders that the worker has not applied, and its limit is `max_pending`."""

    def __init__(self, sim_id: str, pending: int, max_pending: int) -> None:
        super().__init__(f"sim {sim_id} has {pending} pending orders, and its limit is {max_pending}")
        self.sim_id = sim_id
        self.pending = pending
        self.max_pending = max_pending


class StorageFull(StateError):
    """Redis has no memory for another `what`, such as an order. The remaining memory is reserved for ticks."""

    def __init__(self, what: str, used_bytes: int, max_bytes: int) -> None:
        super().__init__(
            f"Redis has no memory for another {what}: {used_bytes >> 20} of {max_bytes >> 20} MiB are in use, and the rest is"
            " reserved for ticks"
        )
        self.what = what
        self.used_bytes = used_bytes
        self.max_bytes = max_bytes


class TooManySims(StateError):
    """The limit of sims, `max_sims`, is reached."""

    def __init__(self, max_sims: int) -> None:
        super().__init__(f"the limit of {max_sims} sims is reached: remove one first")
        self.max_sims = max_sims


class RateLimited(StateError):
    """A client exceeds a rate limit. `retry_after_s`: after how many seconds this request would be accepted."""

    def __init__(self, client: str, per_second: float, retry_after_s: float) -> None:
        super().__init__(f"{client} exceeds the limit of {per_second:g} orders per second")
        self.client = client
        self.per_second = per_second
        self.retry_after_s = retry_after_s


class IdempotencyConflict(StateError):
    """The idempotency key was used for another request before."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the idempotency key {key!r} was used for another request: use a new key")
        self.key = key


class ResponseDamaged(StateError):
    """The stored response for an idempotency key is damaged."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the stored response for the idempotency key {key!r} is damaged: use a new key")
        self.key = key


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(
        __name__,
        {
            "TooFast": "RateLimited",
            "TooFarBehind": "QueueFull",
            "KeyReused": "IdempotencyConflict",
            "SimFinished": "SimAlreadyFinished",
        },
    )
