"""The shows of this process: the sim that it is for always, others as long as somebody watches."""

import asyncio
import re
from collections.abc import Callable

from pydantic import JsonValue

from sector.models.names import SIM_ID
from sector.process import wait_for_stop
from sector.process.tracing import Traces
from sector.state.connect import Client
from sector.state.followed import Fault
from sector.viz.rooms import Rooms
from sector.viz.show import Show

_LOOK_S = 5.0
_MOST = 200
_ID = re.compile(SIM_ID)
_MAP_ID = re.compile(r"[0-9a-f]{32}|")


class Shows:
    """Follows sims. `told`: called when its own is well, with None, and when it is not, with what is wrong."""

    def __init__(
        self, redis: Client, sim_id: str, rooms: Rooms, traces: Traces, told: Callable[[Fault | None], None]
    ) -> None:
        self._traces = traces
        self._redis = redis
        self._rooms = rooms
        self._told = told
        self._shows: dict[str, Show] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.own_id = sim_id

    @property
    def own(self) -> Show | None:
        """That of its own sim, once it runs."""
        return self._shows.get(self.own_id)

    def __len__(self) -> int:
        return len(self._shows)

    def of(self, sim_id: str) -> Show | None:
        """Return the show of a sim, begun if need be; None where there are too many."""
        if sim_id not in self._shows:
            if len(self._shows) >= _MOST:
                return None
            told = self._told if sim_id == self.own_id else lambda _: None
            show = self._shows[sim_id] = Show(self._redis, sim_id, self._rooms, self._traces, told)
            self._tasks[sim_id] = asyncio.create_task(show.run(), name=f"showing {sim_id}")
        return self._shows[sim_id]

    async def run(self, stop: asyncio.Event) -> None:
        """Show until `stop`, then let go of everything."""
        self.of(self.own_id)
        try:
            while not await wait_for_stop(stop, _LOOK_S):
                for task in self._tasks.values():
                    if task.done():
                        task.result()
                for sim_id in [each for each, show in self._shows.items() if not show.is_watched]:
                    if sim_id != self.own_id:
                        del self._shows[sim_id]
                        self._tasks.pop(sim_id).cancel()
        finally:
            tasks = list(self._tasks.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


class Watching:
    """What spectators ask: to watch a sim, which is also what they ask after a gap; and whether we are there."""

    def __init__(self, shows: Shows, rooms: Rooms) -> None:
        self._shows = shows
        self._rooms = rooms
        rooms.on("watch", self._watch)
        rooms.on("beat", self._beat)

    async def _watch(self, spectator: str, *told: object) -> JsonValue:
        """Put a spectator into the room of a sim, and tell it the state; returns what is wrong with what was asked, or None."""
        sim_id, has_map = (*told, "", "")[:2]
        sim_id = self._shows.own_id if sim_id in (None, "") else sim_id
        if not isinstance(sim_id, str) or not _ID.fullmatch(sim_id):
            return "that is not the id of a sim"
        if not isinstance(has_map, str) or not _MAP_ID.fullmatch(has_map):
            return "that is not the id of a map"
        show = self._shows.of(sim_id)
        if show is None:
            return "too many sims are watched here"
        # Into the room first: what is told between the two is then heard, and passed over as known already.
        await self._rooms.enter(spectator, show.room)
        show.welcome(spectator, has_map)
        return None

    async def _beat(self, _spectator: str, *_told: object) -> None:
        """Answer, so that a page can measure how long that takes."""
