"""A sim as this API serves it: followed, with the bodies of its newest view and of past ones, and its way in for orders."""

from collections.abc import Callable

from sector.api.encoded_views import Bodies
from sector.process import backoff
from sector.state.log.admission import AdmissionPolicy
from sector.state.redis.client import Client
from sector.state.redis.group_commit import GroupCommit
from sector.state.watch.reader import SimView
from sector.state.watch.sim_watcher import Fault
from sector.state.watch.sim_watcher import SimWatcher as FollowedSim


class Followed(FollowedSim):
    """One sim."""

    def __init__(
        self, redis: Client, gate: AdmissionPolicy, told: Callable[[Fault | None], None] = lambda _: None
    ) -> None:
        super().__init__(redis, gate.sim_id, backoff, told)
        self.group = GroupCommit(redis, gate)
        self.bodies: Bodies | None = None
        self.past: dict[int, Bodies] = {}

    @property
    def in_use(self) -> bool:
        """Whether anything listens to it, waits for it, or gives orders to it."""
        return super().in_use or self.group.in_use

    async def newest(self) -> Bodies:
        """Return the bodies of the newest view known. Raises what is wrong with the sim, or with Redis."""
        while self.bodies is None:
            await self.view()
        return self.bodies

    def _set_view(self, view: SimView | None, *, reset: bool) -> None:
        super()._set_view(view, reset=reset)
        self.bodies = None if view is None else Bodies(view)
        if reset and view is not None:
            self.past.clear()
