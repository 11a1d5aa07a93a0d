"""Reservations of idempotency keys: of requests for different sims under one key, one at most creates a sim.

A sim and the key of a request for it are in different slots, so no transaction has both. A request reserves its key before it creates
the sim. The reservation states how many equal requests are under way, so that one of them that is refused does not release the key
of another that creates the sim. If a process crashes or a client leaves in between, the key stays with this request for
24 hours: its retry goes on, and another request under this key is refused.
"""

from dataclasses import dataclass

from sector.state.errors import IdempotencyConflict
from sector.state.keys import SimKeys
from sector.state.log.admission import DIGEST_BYTES, KEPT_MS
from sector.state.redis.client import Client
from sector.state.redis.connection import acquire_connection, execute
from sector.state.redis.replies import as_bytes, checked

_ANY_SIM = SimKeys("")
"""Where keys lie that may come with requests for any sim; no sim has an empty id."""

_SCRIPT = b"""
local key, act, digest, kept_ms = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local value = redis.call('GET', key)
if value == '' then value = false end
if value and string.sub(value, 1, #digest) ~= digest then return 0 end
local pending = value and string.sub(value, #digest + 1) or '0'
if act == 'confirm' then
  redis.call('SET', key, digest, 'PX', kept_ms)
elseif act == 'reserve' and pending ~= '' then
  redis.call('SET', key, digest .. ((tonumber(pending) or 0) + 1), 'PX', kept_ms)
elseif act == 'release' and pending ~= '' then
  local left = (tonumber(pending) or 0) - 1
  -- The user of the API may not delete keys.
  if left > 0 then redis.call('SET', key, digest .. left, 'PX', kept_ms) else redis.call('SET', key, '', 'PX', 1) end
end
return 1
"""
"""The value of the key is the digest of a request. While it is under way, the number of equal requests that are follows."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A key under which `issuer` sends a request once or several times. `digest`: of the request, so that another one is known."""

    issuer: str
    key: str
    digest: bytes

    @property
    def used(self) -> str:
        """The key in Redis of the request that this key came with."""
        return _ANY_SIM.creation_key(self.issuer, self.key)


async def check_key(redis: Client, once: IdempotencyKey) -> None:
    """Raise IdempotencyConflict if the key came with another request; redis.exceptions.RedisError."""
    value = as_bytes(await execute(redis, "GET", once.used))
    if value and value[:DIGEST_BYTES] != once.digest:
        raise IdempotencyConflict(once.key)


async def reserve(redis: Client, once: IdempotencyKey) -> None:
    """Reserve the key for this request. Raises IdempotencyConflict if another one has it; redis.exceptions.RedisError."""
    if not await _run(redis, "reserve", once):
        raise IdempotencyConflict(once.key)


async def release(redis: Client, once: IdempotencyKey) -> None:
    """Release the key: the request is refused, and stores nothing. Equal requests that are under way keep it."""
    await _run(redis, "release", once)


async def confirm(redis: Client, once: IdempotencyKey) -> None:
    """Store that the request created its sim."""
    await _run(redis, "confirm", once)


async def _run(redis: Client, act: str, once: IdempotencyKey) -> bool:
    async with acquire_connection(redis, once.used) as connection:
        (done,) = checked(await connection.pipeline(("EVAL", _SCRIPT, 1, once.used, act, once.digest, KEPT_MS)))
    return bool(done)
