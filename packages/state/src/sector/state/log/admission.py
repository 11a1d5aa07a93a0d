"""Admission of a group of requests to the order log, in one round trip and at one instant.

The sim must exist and not be finished, the backlog of its worker must have room (backpressure), and each client must keep to its rate
limits. A request that is repeated under its idempotency key gets the stored response. `admit.lua` decides, inside Redis, for all processes.
"""

import re
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from hashlib import sha1
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from hiredis import pack_command
from pydantic_core import to_json
from redis.exceptions import NoScriptError, ResponseError

from sector.models.deprecated_names import deprecated_names
from sector.state.errors import (
    IdempotencyConflict,
    NotDurable,
    QueueFull,
    RateLimited,
    ResponseDamaged,
    SimAlreadyFinished,
    SimNotFound,
    StateError,
    StorageFull,
)
from sector.state.keys import SimKeys
from sector.state.log.order_codec import SCOPE_ADMIN, SCOPE_PLAYER
from sector.state.redis.client import Client
from sector.state.redis.command_encoding import EncodedCommand
from sector.state.redis.connection import Connection, acquire_connection
from sector.state.redis.durability import MEMORY, Durability
from sector.state.redis.memory import HISTORY_SHRINKS_AT, ORDERS_REFUSED_AT
from sector.state.redis.replies import Reply, as_bytes, as_int, as_list, checked

KEPT_MS = 24 * 3600 * 1000
"""How long the answer to a request with an idempotency key is kept."""
LEAST_KEPT_MS = 10 * 60 * 1000
"""How long it is stored at least, however much else its issuer stores, and where the memory of Redis is scarce."""
STORED_BYTES = 16 * 2**20
"""What an issuer may store in a sim within `KEPT_MS`: the more of it is used, the sooner new answers are forgotten."""
DIGEST_BYTES = 16
_SCOPES = {True: SCOPE_ADMIN.decode(), False: SCOPE_PLAYER.decode()}
_IDS = re.compile(rb"(?P<ms>\d{1,20})-(?P<number>\d{1,20})(\*(?P<count>\d{1,4})|( \d{1,20}-\d{1,20})*)")
MAX_COST = 1000
"""For how many orders a request counts at most."""

_SCRIPT = resources.files(__package__ or "").joinpath("admit.lua").read_bytes()
_SHA = sha1(_SCRIPT, usedforsecurity=False).hexdigest()


class Rate(NamedTuple):
    """A rate limit of orders: per second, and the burst. `client` names whom it limits, such as `token alice`."""

    client: str
    per_second: float
    burst: int


class Request(NamedTuple):
    """Orders that are let in together or not at all.

    With `key`, an idempotency key of `issuer`, the request is carried out once: `digest`, of 16 bytes, tells whether it is the same,
    and `stored_response` is what its response has in addition to the ids, and is stored with them.
    """

    issuer: str
    orders: Sequence[bytes]
    admin: bool = False
    rates: tuple[Rate, ...] = ()
    key: str | None = None
    digest: bytes = bytes(DIGEST_BYTES)
    stored_response: bytes = b""
    cost: int | None = None
    """For how many orders it counts, where it took more work than those that are good."""
    trace: str | None = None
    """What goes along with its orders to the tick that applies them: a traceparent (W3C Trace Context)."""


class Admitted(NamedTuple):
    """The ids of the orders of a request, in its order. `replayed`: it was carried out before; `stored_response` is of that time."""

    ids: list[str]
    stored_response: bytes
    replayed: bool


type AdmissionResult = Admitted | StateError


@dataclass(frozen=True, slots=True)
class AdmissionPolicy:
    """The limits of every request to a sim. `max_pending`: orders that may wait for the worker; 0: any number."""

    sim_id: str
    max_pending: int = 0
    durability: Durability = MEMORY

    def acquire_connection(self, redis: Client) -> AbstractAsyncContextManager[Connection]:
        """Lend a connection to the node of the log. It is closed where the block raises: it may be amid a reply."""
        return acquire_connection(redis, SimKeys(self.sim_id).orders)

    async def admit(self, connection: Connection, requests: Sequence[Request]) -> list[AdmissionResult]:
        """Append the orders of the requests that are admitted; return the result of each request.

        Raises redis.exceptions.RedisError: orders may be in the log nevertheless.
        """
        group = _Group(self, requests)
        replies = await connection.pipeline(group.command("EVALSHA", _SHA), *self.durability.wait())
        if isinstance(replies[0], NoScriptError):
            replies = await connection.pipeline(group.command("EVAL", _SCRIPT), *self.durability.wait())
        (answers,) = checked(replies[:1])
        verdicts = [group.verdict(*each) for each in zip(requests, as_list(answers), strict=True)]
        if any(isinstance(each, Admitted) for each in verdicts):
            try:
                self.durability.confirm(replies[1:])
            except NotDurable as error:
                return [_not_durable(each, error) for each in verdicts]
        return verdicts


class _Limits(TypedDict):
    max_pending: int
    max_retention_ms: int
    min_retention_ms: int
    issuer_bytes: int
    retention_shrinks_at: float
    orders_refused_at: float
    max_cost: int


class _Rates(TypedDict):
    order_us: list[int]
    burst: list[int]


class _Submitters(TypedDict):
    """`rates`: the indexes of the rates of a submitter."""

    issuer: list[str]
    scope: list[str]
    rates: list[list[int]]


class _Requests(TypedDict):
    """`submitter`: its index. `key`: the index of the idempotency key, or None. `orders`: their number."""

    submitter: list[int]
    key: list[int | None]
    cost: list[int]
    trace: list[str | None]
    orders: list[int]


class _Call(TypedDict):
    """What `admit.lua` reads as JSON. Lists are columns, and indexes begin at 1. A call that lacks a field is an error.

    In comparison with words in a fixed order, a group of one order takes 2 % longer, and one of 25 requests 15 % less.
    """

    limits: _Limits
    rates: _Rates
    submitters: _Submitters
    requests: _Requests


class _Group:
    """One run of the script. The limits, rates and submitters that its requests share are sent once.

    Digests, responses and orders follow the JSON as plain arguments, because they are bytes.
    """

    def __init__(self, policy: AdmissionPolicy, requests: Sequence[Request]) -> None:
        self._policy = policy
        self._requests = requests
        self.keys = SimKeys(policy.sim_id)
        self._rates: dict[Rate, int] = {}
        """The rates of the requests, numbered from 1."""
        self._submitters: dict[tuple[str, bool, tuple[Rate, ...]], int] = {}
        """The submitters of the requests, numbered from 1: issuer, whether an admin, and rates."""

    def command(self, name: str, script: str | bytes) -> EncodedCommand:
        values: list[bytes] = []
        idempotency_keys: list[str] = []
        submitters: list[int] = []
        key_numbers: list[int | None] = []
        costs: list[int] = []
        traces: list[str | None] = []
        counts: list[int] = []
        for issuer, orders, admin, rates, key, digest, response, cost, trace in self._requests:
            submitters.append(self._submitters.setdefault((issuer, admin, rates), len(self._submitters) + 1))
            if key is None:
                key_numbers.append(None)
            else:
                idempotency_keys.append(self.keys.idempotency_key(issuer, key))
                key_numbers.append(len(idempotency_keys))
                values += (digest, response)
            count = len(orders)
            costs.append(count if cost is None else cost)
            traces.append(trace)
            counts.append(count)
            values += orders
        requests: _Requests = {
            "submitter": submitters,
            "key": key_numbers,
            "cost": costs,
            "trace": traces,
            "orders": counts,
        }
        call = to_json(self._call(requests))
        keys = [self.keys.orders, *(self.keys.rate(rate.client) for rate in self._rates)]
        keys += [self.keys.rate(f"stored {issuer}") for issuer, _, _ in self._submitters]
        keys += idempotency_keys
        command = (name, script, len(keys), *keys, self.keys.head, call, *values)
        return EncodedCommand(pack_command(command))  # type: ignore[arg-type]  # its stub means a tuple of one

    def _call(self, requests: _Requests) -> _Call:
        issuers: list[str] = []
        scopes: list[str] = []
        submitter_rates: list[list[int]] = []
        for issuer, admin, rates in self._submitters:
            issuers.append(issuer)
            scopes.append(_SCOPES[admin])
            submitter_rates.append([self._rates.setdefault(rate, len(self._rates) + 1) for rate in rates])
        return {
            "limits": {
                "max_pending": self._policy.max_pending,
                "max_retention_ms": KEPT_MS,
                "min_retention_ms": LEAST_KEPT_MS,
                "issuer_bytes": STORED_BYTES,
                "retention_shrinks_at": HISTORY_SHRINKS_AT,
                "orders_refused_at": ORDERS_REFUSED_AT,
                "max_cost": MAX_COST,
            },
            "rates": {
                "order_us": [round(1_000_000 / rate.per_second) for rate in self._rates],
                "burst": [rate.burst for rate in self._rates],
            },
            "submitters": {"issuer": issuers, "scope": scopes, "rates": submitter_rates},
            "requests": requests,
        }

    def verdict(self, request: Request, answer: Reply) -> AdmissionResult:
        status, *more = as_list(answer)
        if status == b"accepted":
            return Admitted(_texts(more), request.stored_response, False)
        match status:
            case b"replayed":
                ids, _, rest = (as_bytes(more[0]) or b"").partition(b"\n")
                stored = _stored_ids(ids)
                return Admitted(stored, rest, True) if stored else ResponseDamaged(str(request.key))
            case b"conflict":
                return IdempotencyConflict(str(request.key))
            case b"finished":
                return SimAlreadyFinished(self._policy.sim_id, int(as_bytes(more[0]) or 0))
            case b"queue full":
                return QueueFull(self._policy.sim_id, as_int(more[0]), self._policy.max_pending)
            case b"storage full":
                return StorageFull("order", as_int(more[0]), as_int(more[1]))
            case b"rate limited":
                rate = list(self._rates)[as_int(more[0]) - 1]
                return RateLimited(rate.client, rate.per_second, as_int(more[1]) / 1_000_000)
            case b"no sim":
                return SimNotFound(self._policy.sim_id)
            case _:
                raise ResponseError(f"the admission script returned the unknown result {status!r}")


def _not_durable(verdict: AdmissionResult, error: NotDurable) -> AdmissionResult:
    return NotDurable(error.durability, verdict.ids, error.reason) if isinstance(verdict, Admitted) else verdict


def _stored_ids(stored: bytes) -> list[str]:
    """Return ids as they were stored: one by one, or the first of them and how many follow one another. None where it is damaged."""
    match = _IDS.fullmatch(stored)
    if match is None:
        return []
    if match["count"] is None:
        return stored.decode().split()
    ms, number, count = match["ms"].decode(), int(match["number"]), int(match["count"])
    return [f"{ms}-{number + further}" for further in range(min(count, MAX_COST))]


def _texts(words: Sequence[Reply]) -> list[str]:
    return [word.decode() for word in words if isinstance(word, bytes)]


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(__name__, {"Gate": "AdmissionPolicy", "Verdict": "AdmissionResult"})
