"""The keys of a sim. `{id}` keeps its braces, as a Redis Cluster hash tag: a sim is always in one slot."""

from dataclasses import dataclass

SIMS = "sims"
"""Set of the ids of all sims."""


@dataclass(frozen=True, slots=True)
class SimKeys:
    """Names of the keys of the sim `sim_id`; docs/architecture.md says what lies there."""

    sim_id: str

    def _key(self, name: str) -> str:
        return f"sim:{{{self.sim_id}}}:{name}"

    @property
    def lease(self) -> str:
        return self._key("lease")

    @property
    def head(self) -> str:
        return self._key("head")

    @property
    def snapshot(self) -> str:
        return self._key("snapshot")

    @property
    def map(self) -> str:
        return self._key("map")

    @property
    def config(self) -> str:
        return self._key("config")

    @property
    def orders(self) -> str:
        return self._key("orders")

    @property
    def events(self) -> str:
        return self._key("events")

    @property
    def keyframes(self) -> str:
        return self._key("keyframes")
