"""The keys of a sim. `{id}` keeps its braces, as a Redis Cluster hash tag: a sim is always in one slot."""

from dataclasses import dataclass
from functools import cached_property

SIMS = "sims"
"""Set of the ids of all sims."""

WORKERS = "workers"
"""Sorted set of the workers that are alive; the score is when the heartbeat expires, in ms of Redis' clock."""


@dataclass(frozen=True)
class SimKeys:
    """Names of the keys of the sim `sim_id`; docs/reference/redis-keys.md lists their contents."""

    sim_id: str

    def _key(self, name: str) -> str:
        return f"sim:{{{self.sim_id}}}:{name}"

    @cached_property
    def lease(self) -> str:
        return self._key("lease")

    @cached_property
    def head(self) -> str:
        return self._key("head")

    @cached_property
    def snapshot(self) -> str:
        return self._key("snapshot")

    @cached_property
    def map(self) -> str:
        return self._key("map")

    @cached_property
    def config(self) -> str:
        return self._key("config")

    @cached_property
    def orders(self) -> str:
        return self._key("orders")

    @cached_property
    def dead_letters(self) -> str:
        """The key of dead letters; `poison` is its earlier name, kept for stored data."""
        return self._key("poison")

    @cached_property
    def events(self) -> str:
        return self._key("events")

    @cached_property
    def keyframes(self) -> str:
        return self._key("keyframes")

    @cached_property
    def request(self) -> str:
        return self._key("founding")

    def idempotency_key(self, issuer: str, key: str) -> str:
        """Return the key of the stored response to a request with an idempotency key."""
        return self._key(f"once:{len(issuer)}:{issuer}:{key}")

    def creation_key(self, issuer: str, key: str) -> str:
        """Return the key of the digest of the request that created this sim; without a sim, of the one that used the idempotency key."""
        return self._key(f"once:sims:{len(issuer)}:{issuer}:{key}")

    def rate(self, client: str) -> str:
        """Return the key of the usage of a rate limit by a client."""
        return self._key(f"rate:{client}")

    @cached_property
    def all(self) -> tuple[str, ...]:
        """Every key of the sim, the head first."""
        return (self.head, self.lease, self.snapshot, self.map, self.config, self.request, *self.history)

    @cached_property
    def history(self) -> tuple[str, ...]:
        """The keys that grow with time."""
        return (self.orders, self.dead_letters, self.events, self.keyframes)

    @staticmethod
    def staging_key(key: str) -> str:
        """Return the key, in the same slot, of a value that is renamed to `key` when it is complete."""
        return f"{key}:staged"
