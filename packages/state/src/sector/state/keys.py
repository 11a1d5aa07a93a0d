"""The keys of a sim. `{id}` keeps its braces, as a Redis Cluster hash tag: a sim is always in one slot."""

from dataclasses import dataclass
from functools import cached_property

SIMS = "sims"
"""Set of the ids of all sims."""

WORKERS = "workers"
"""Sorted set of the workers that are there; the score is until when, in ms of Redis' clock."""


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
    def poison(self) -> str:
        return self._key("poison")

    @cached_property
    def events(self) -> str:
        return self._key("events")

    @cached_property
    def keyframes(self) -> str:
        return self._key("keyframes")

    @cached_property
    def founding(self) -> str:
        return self._key("founding")

    def once(self, issuer: str, idempotency_key: str) -> str:
        """Return where the answer to a request lies that is to be carried out once."""
        return self._key(f"once:{len(issuer)}:{issuer}:{idempotency_key}")

    def created_by(self, issuer: str, idempotency_key: str) -> str:
        """Return the key of the digest of the request that created this sim; without a sim, of the one that used the idempotency key."""
        return self._key(f"once:sims:{len(issuer)}:{issuer}:{idempotency_key}")

    def rate(self, of: str) -> str:
        """Return where it lies how much somebody ordered lately."""
        return self._key(f"rate:{of}")

    @cached_property
    def all(self) -> tuple[str, ...]:
        """Every key of the sim, the head first."""
        return (self.head, self.lease, self.snapshot, self.map, self.config, self.founding, *self.history)

    @cached_property
    def history(self) -> tuple[str, ...]:
        """What grows with time."""
        return (self.orders, self.poison, self.events, self.keyframes)

    @staticmethod
    def staged(key: str) -> str:
        """Return where what will lie at `key` is made ready, in the same slot."""
        return f"{key}:staged"
