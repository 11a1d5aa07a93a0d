"""A sim as the API serves it: its newest state, encoded; states of earlier ticks; and the admission of its orders."""

from collections.abc import Callable

from sector.api.encoded_views import EncodedViews
from sector.process import backoff
from sector.state.log.admission import AdmissionPolicy
from sector.state.redis.client import Client
from sector.state.redis.group_commit import GroupCommit
from sector.state.watch.reader import SimView
from sector.state.watch.sim_watcher import Fault, SimWatcher


class ApiSim(SimWatcher):
    """Watches one sim. `on_status` is called with None when the sim becomes readable, and with the fault when it is not."""

    def __init__(
        self, redis: Client, policy: AdmissionPolicy, on_status: Callable[[Fault | None], None] = lambda _: None
    ) -> None:
        super().__init__(redis, policy.sim_id, backoff, on_status)
        self.group = GroupCommit(redis, policy)
        self.views: EncodedViews | None = None
        """The newest state; None while it is not loaded, or not readable."""
        self.views_by_tick: dict[int, EncodedViews] = {}
        """States of earlier ticks, the oldest request first."""

    @property
    def in_use(self) -> bool:
        """Whether anything subscribes to it, waits for it, or submits orders to it."""
        return super().in_use or self.group.in_use

    async def newest_views(self) -> EncodedViews:
        """Return the newest state. Raises the fault of the sim, or that of Redis."""
        while self.views is None:
            await self.view()
        return self.views

    def _set_view(self, view: SimView | None, *, reset: bool) -> None:
        super()._set_view(view, reset=reset)
        self.views = None if view is None else EncodedViews(view)
        if reset and view is not None:
            self.views_by_tick.clear()
