"""The Redis keys of a sim. The braces in `{id}` are a hash tag of Redis Cluster: all keys of a sim are in one slot."""

from dataclasses import dataclass
from functools import cached_property

SIMS = "sims"
"""The set of the ids of all sims."""

WORKERS = "workers"
"""The sorted set of live workers. The score is the time at which the heartbeat expires, in ms of the clock of Redis."""


@dataclass(frozen=True)
class SimKeys:
    """The names of the keys of the sim `sim_id`. The page docs/reference/redis-keys.md describes their contents."""

    sim_id: str

    def _key(self, name: str) -> str:
        return f"sim:{{{self.sim_id}}}:{name}"

    @cached_property
    def lease(self) -> str:
        """A string with an expiry: `epoch:worker:nonce` of the worker that may tick the sim."""
        return self._key("lease")

    @cached_property
    def head(self) -> str:
        """A hash: the tick, the cursor, the state hash and other fields of the head."""
        return self._key("head")

    @cached_property
    def snapshot(self) -> str:
        """A string: the encoded snapshot of the head, or of an earlier tick near it."""
        return self._key("snapshot")

    @cached_property
    def map(self) -> str:
        """A string: the encoded map."""
        return self._key("map")

    @cached_property
    def config(self) -> str:
        """A string: the config as JSON."""
        return self._key("config")

    @cached_property
    def orders(self) -> str:
        """A stream: the order log."""
        return self._key("orders")

    @cached_property
    def dead_letters(self) -> str:
        """The key of the dead letters. `poison` is an earlier name, which is retained for stored data."""
        return self._key("poison")

    @cached_property
    def events(self) -> str:
        """A stream with one entry for each tick: its events, its delta and its state hash."""
        return self._key("events")

    @cached_property
    def keyframes(self) -> str:
        """A hash: the snapshots of the keyframes, with their cursors and sizes, by tick."""
        return self._key("keyframes")

    @cached_property
    def request(self) -> str:
        """A string: the request to create the sim, as JSON. `founding` is an earlier name, which is retained for stored data."""
        return self._key("founding")

    def idempotency_key(self, issuer: str, key: str) -> str:
        """Return the key of the stored response for an idempotency key of an issuer."""
        return self._key(f"once:{len(issuer)}:{issuer}:{key}")

    def creation_key(self, issuer: str, key: str) -> str:
        """Return the key of the digest of the request that created this sim.

        With an empty sim id, it is that of the request that used the idempotency key.
        """
        return self._key(f"once:sims:{len(issuer)}:{issuer}:{key}")

    def rate(self, client: str) -> str:
        """Return the key of the usage of a rate limit by a client."""
        return self._key(f"rate:{client}")

    @cached_property
    def all(self) -> tuple[str, ...]:
        """All keys of the sim, the head first."""
        return (self.head, self.lease, self.snapshot, self.map, self.config, self.request, *self.history)

    @cached_property
    def history(self) -> tuple[str, ...]:
        """The keys that grow with time."""
        return (self.orders, self.dead_letters, self.events, self.keyframes)

    @staticmethod
    def staging_key(key: str) -> str:
        """Return a key in the same slot for a value that is renamed to `key` when it is complete."""
        return f"{key}:staged"
