"""Texts for errors of Redis: what happened, and what to do.

Each kind has one text, so that the log does not repeat it per retry.
"""

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
    (AuthenticationError, "Redis rejected the user or the password: correct REDIS_URL"),
    (NoPermissionError, "the Redis user lacks a permission: compare its rights with docker/users.acl"),
    (BusyLoadingError, "Redis is loading its data: wait until it has finished"),
    (OutOfMemoryError, "Redis is full: raise maxmemory, or lower MAX_HISTORY_BYTES"),
    (ReadOnlyError, "Redis is read-only: point REDIS_URL at the master"),
    (AskError, "the cluster slot of this sim is being migrated: wait until it has moved"),
    (TryAgainError, "the cluster slot of this sim is being migrated: wait until it has moved"),
    (MasterDownError, "the Redis replica lost its master: restore the master"),
    (ClusterError, "a part of the Redis cluster is down: restore its nodes"),
    (PoolExhausted, "all connections of this process to Redis are in use: wait, or add processes"),
    (RedisTimeoutError, "Redis does not answer in time: check its load and the network"),
    (RedisConnectionError, "Redis is unreachable: start it, or correct REDIS_URL"),
)
_PREFIXES = {
    "BUSY": "a script blocks Redis: end it with SCRIPT KILL, as user operator",
    "WRONGTYPE": "a key of this sim has another type: remove the key, or restore the sim",
    "WAITAOF cannot": "appendonly is disabled in Redis: enable it, or choose another ORDER_DURABILITY",
    "MISCONF": "Redis rejects writes, because it cannot write to its disk: free space on its disk",
    "NOREPLICAS": "Redis rejects writes, because it has too few replicas: restore the replicas",
}


_UNREADABLE_CERTIFICATE = "a certificate file in REDIS_URL cannot be read: correct its path or permissions"
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
"""A part of redis-py's text for an error of a Unix socket. A host contains no slash."""
_OF_THE_CONNECTION = tuple(kind for kind, _ in _KINDS)


def concerns_one_sim(error: Exception) -> bool:
    """Return whether an error concerns the stored data of one sim, and not Redis, its users or other sims."""
    if isinstance(error, SimNotFound):
        return False
    if isinstance(error, RedisError):
        plain = isinstance(error, ResponseError) and not isinstance(error, _OF_THE_CONNECTION)
        return plain and not str(error).startswith(_OF_THE_SERVER)
    return isinstance(error, StateError | FrameError | DeltaError)


def describe(error: RedisError) -> str:
    """Return the text for an error. It does not contain the text of the error itself, which may differ with each retry."""
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
        # Only the kind of the error is used. The rest of its text may quote what was sent.
        code = _KIND.match(text)
        return f"Redis rejected a command ({code[0] if code else 'ERR'}): see the log"
    return f"Redis failed ({type(error).__name__}): see the log"


def _describe_cause(error: RedisConnectionError) -> str:
    """Return why a connection failed if the cause is not Redis itself, otherwise ""."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    match cause:
        case ssl.SSLCertVerificationError():
            return "the certificate of Redis is invalid: compare its authority and host name with REDIS_URL"
        case ssl.SSLError():
            return "TLS with Redis fails: compare its port and certificates with REDIS_URL"
        case socket.gaierror():
            return "the host in REDIS_URL cannot be resolved: compare it with DNS"
        case OSError(errno=errno.EMFILE | errno.ENFILE):
            return "no file descriptor is free for a connection to Redis: raise the limit (ulimit -n)"
        case CertificateFileError():
            return _UNREADABLE_CERTIFICATE
        case FileNotFoundError() | PermissionError() | IsADirectoryError() if _UNIX_SOCKET not in str(error):
            return _UNREADABLE_CERTIFICATE
        case _:
            return ""
