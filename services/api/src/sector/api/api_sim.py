"""A sim as this API serves it: followed, with the bodies of its newest view and of past ones, and its way in for orders."""

from collections.abc import Callable

from sector.api.encoded_views import EncodedViews
from sector.process import backoff
from sector.state.log.admission import AdmissionPolicy
from sector.state.redis.client import Client
from sector.state.redis.group_commit import GroupCommit
from sector.state.watch.reader import SimView
from sector.state.watch.sim_watcher import Fault, SimWatcher


class ApiSim(SimWatcher):
    """One sim."""

    def __init__(
        self, redis: Client, gate: AdmissionPolicy, told: Callable[[Fault | None], None] = lambda _: None
    ) -> None:
        super().__init__(redis, gate.sim_id, backoff, told)
        self.group = GroupCommit(redis, gate)
        self.bodies: EncodedViews | None = None
        self.past: dict[int, EncodedViews] = {}

    @property
    def in_use(self) -> bool:
        """Whether anything listens to it, waits for it, or gives orders to it."""
        return super().in_use or self.group.in_use

    async def newest(self) -> EncodedViews:
        """Return the bodies of the newest view known. Raises what is wrong with the sim, or with Redis."""
        while self.bodies is None:
            await self.view()
        return self.bodies

    def _set_view(self, view: SimView | None, *, reset: bool) -> None:
        super()._set_view(view, reset=reset)
        self.bodies = None if view is None else EncodedViews(view)
        if reset and view is not None:
            self.past.clear()
