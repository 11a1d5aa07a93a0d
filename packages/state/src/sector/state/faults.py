"""Faults of Redis in words: what happened, and what to do. One text a kind, so that it is logged once and not once a retry."""

from redis.exceptions import (
    AskError,
    AuthenticationError,
    BusyLoadingError,
    ClusterError,
    MasterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from sector.models.delta import DeltaError
from sector.models.frame import FrameError
from sector.state.errors import SimNotFound, StateError
from sector.state.pool import PoolExhausted

_KINDS: tuple[tuple[type[Exception], str], ...] = (
    (AuthenticationError, "Redis wants a user and a password that it knows: correct REDIS_URL"),
    (NoPermissionError, "the Redis user may not do this: compare its rights with docker/users.acl"),
    (BusyLoadingError, "Redis is loading its data"),
    (OutOfMemoryError, "Redis is full: give it more memory (maxmemory), or keep less history"),
    (ReadOnlyError, "Redis is read-only: a replica, or a master that was replaced"),
    (AskError, "the slot of this sim is moving to another node"),
    (TryAgainError, "the slot of this sim is moving to another node"),
    (MasterDownError, "Redis lost its master"),
    (ClusterError, "a part of the Redis cluster is down"),
    (PoolExhausted, "all connections of this process to Redis are in use"),
    (RedisTimeoutError, "Redis does not answer in time"),
    (RedisConnectionError, "Redis is away"),
    (OSError, "Redis is away"),
)
_PREFIXES = {
    "BUSY": "a script holds Redis: end it as user operator, with SCRIPT KILL",
    "WRONGTYPE": "something of another type lies at a key of this sim: remove it, or restore the sim",
    "MISCONF": "Redis cannot write to its disk, and takes no writes",
    "NOREPLICAS": "Redis has too few replicas, and takes no writes",
}


_OF_THE_SERVER = (
    "MISCONF",
    "NOREPLICAS",
    "NOAUTH",
    "NOPERM",
    "WRONGPASS",
    "BUSY",
    "READONLY",
    "OOM",
    "LOADING",
    "MASTERDOWN",
)
_OF_THE_CONNECTION = tuple(kind for kind, _ in _KINDS)


def concerns_one_sim(error: Exception) -> bool:
    """Return whether a fault lies in the stored data of one sim, and not in Redis, its users or other sims."""
    if isinstance(error, SimNotFound):
        return False
    if isinstance(error, RedisError | OSError):
        plain = isinstance(error, ResponseError) and not isinstance(error, _OF_THE_CONNECTION)
        return plain and not str(error).startswith(_OF_THE_SERVER)
    return isinstance(error, StateError | FrameError | DeltaError)


def describe(error: RedisError | OSError) -> str:
    """Return what kind of fault this is, in words. The text of the error itself is not in it: it may differ at each retry."""
    text = str(error)
    for prefix, words in _PREFIXES.items():
        if text.startswith(prefix):
            return words
    for kind, words in _KINDS:
        if isinstance(error, kind):
            return words
    return f"Redis refuses a command: {text}" if isinstance(error, ResponseError) else f"{type(error).__name__}: {text}"
