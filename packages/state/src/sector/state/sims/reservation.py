"""Reservations of idempotency keys. Of requests for different sims with one key, at most one creates its sim.

A sim and the idempotency key of its request are in different slots, so no transaction covers both. A request reserves
its key before it creates the sim. The reservation counts the equal requests that are pending, so that a rejected one
does not release the key of another one.

If a process crashes or a client disconnects in between, the key stays reserved for this request for 24 hours. A retry
continues it, and another request with this key is rejected.
"""

from dataclasses import dataclass

from sector.state.errors import IdempotencyConflict
from sector.state.keys import SimKeys
from sector.state.log.admission import DIGEST_BYTES, KEPT_MS
from sector.state.redis.client import Client
from sector.state.redis.connection import acquire_connection, execute
from sector.state.redis.replies import as_bytes, checked

_ANY_SIM = SimKeys("")
"""The slot of keys that requests for any sim may use. No sim has an empty id."""

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
"""The value of the key is the digest of a request. While such requests are pending, their number follows the digest."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """An idempotency key of `issuer`. `digest`: the digest of its request, which distinguishes it from other requests."""

    issuer: str
    key: str
    digest: bytes

    @property
    def used(self) -> str:
        """The Redis key of the request that used this idempotency key."""
        return _ANY_SIM.creation_key(self.issuer, self.key)


async def check_key(redis: Client, once: IdempotencyKey) -> None:
    """Raise IdempotencyConflict if the key was used for another request. Raises redis.exceptions.RedisError."""
    value = as_bytes(await execute(redis, "GET", once.used))
    if value and value[:DIGEST_BYTES] != once.digest:
        raise IdempotencyConflict(once.key)


async def reserve(redis: Client, once: IdempotencyKey) -> None:
    """Reserve the key for this request.

    Raises IdempotencyConflict if another request has it, or redis.exceptions.RedisError.
    """
    if not await _run(redis, "reserve", once):
        raise IdempotencyConflict(once.key)


async def release(redis: Client, once: IdempotencyKey) -> None:
    """Release the key of a rejected request. Equal requests that are pending keep it reserved."""
    await _run(redis, "release", once)


async def confirm(redis: Client, once: IdempotencyKey) -> None:
    """Store that the request created its sim."""
    await _run(redis, "confirm", once)


async def _run(redis: Client, act: str, once: IdempotencyKey) -> bool:
    async with acquire_connection(redis, once.used) as connection:
        (done,) = checked(await connection.pipeline(("EVAL", _SCRIPT, 1, once.used, act, once.digest, KEPT_MS)))
    return bool(done)
