"""Faults of Redis in words: what happened, and what to do. One text a kind, so that it is logged once and not once a retry."""

import errno
import re
import socket
import ssl

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
from sector.state.redis.pool import PoolExhausted
from sector.state.redis.tls import CertificateFileError

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
)
_PREFIXES = {
    "BUSY": "a script holds Redis: end it as user operator, with SCRIPT KILL",
    "WRONGTYPE": "something of another type lies at a key of this sim: remove it, or restore the sim",
    "WAITAOF cannot": "appendonly is disabled in Redis: enable it, or choose another ORDER_DURABILITY",
    "MISCONF": "Redis cannot write to its disk, and takes no writes",
    "NOREPLICAS": "Redis has too few replicas, and takes no writes",
}


_UNREADABLE_CERTIFICATE = "a certificate file in REDIS_URL cannot be read"
_KIND = re.compile("[A-Z]{3,20}\\b")
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
_UNIX_SOCKET = " connecting to /"
"""In redis-py's text of an error with a Unix socket; a host has no slash."""
_OF_THE_CONNECTION = tuple(kind for kind, _ in _KINDS)


def concerns_one_sim(error: Exception) -> bool:
    """Return whether a fault lies in the stored data of one sim, and not in Redis, its users or other sims."""
    if isinstance(error, SimNotFound):
        return False
    if isinstance(error, RedisError):
        plain = isinstance(error, ResponseError) and not isinstance(error, _OF_THE_CONNECTION)
        return plain and not str(error).startswith(_OF_THE_SERVER)
    return isinstance(error, StateError | FrameError | DeltaError)


def describe(error: RedisError) -> str:
    """Return what kind of fault this is, in words. The text of the error itself is not in it: it may differ at each retry."""
    text = str(error)
    for prefix, words in _PREFIXES.items():
        if text.startswith(prefix):
            return words
    if isinstance(error, RedisConnectionError) and (words := _describe_cause(error)):
        return words
    for kind, words in _KINDS:
        if isinstance(error, kind):
            return words
    if isinstance(error, ResponseError):
        # Of its own text only the kind: the rest may quote what was sent.
        code = _KIND.match(text)
        return f"Redis refuses a command ({code[0] if code else 'ERR'})"
    return f"Redis failed ({type(error).__name__})"


def _describe_cause(error: RedisConnectionError) -> str:
    """Return why a connection could not be made, where Redis itself is not the cause; an empty text otherwise."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    match cause:
        case ssl.SSLCertVerificationError():
            return "the certificate of Redis is not valid: compare its authority and host name with REDIS_URL"
        case ssl.SSLError():
            return "TLS with Redis fails: compare its port and certificates with REDIS_URL"
        case socket.gaierror():
            return "the host in REDIS_URL has no address: compare it with DNS"
        case OSError(errno=errno.EMFILE | errno.ENFILE):
            return "no file descriptor is free for a connection to Redis: raise the limit (ulimit -n)"
        case CertificateFileError():
            return _UNREADABLE_CERTIFICATE
        case FileNotFoundError() | PermissionError() | IsADirectoryError() if _UNIX_SOCKET not in str(error):
            return _UNREADABLE_CERTIFICATE
        case _:
            return ""
