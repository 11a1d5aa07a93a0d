"""The shows of this process: the sim that it is for always, others as long as somebody watches.

A show begins only for a sim that exists. A spectator may also watch one that does not exist yet: it is shown once it does.
"""

import asyncio
import re
from collections.abc import Callable

from pydantic import JsonValue
from redis.exceptions import RedisError

from sector.models.field_types import SIM_ID
from sector.process import wait_for_stop
from sector.process.tracing import Traces
from sector.state.errors import SimNotFound
from sector.state.redis.client import Client
from sector.state.sims import lifecycle
from sector.state.sims.lookup import SimLookup
from sector.state.watch.sim_watcher import Fault
from sector.viz.rooms import Rooms
from sector.viz.show import Show, fault_text, room_of

_LOOK_S = 5.0
_LOOK_FOR_MISSING_S = 1.0
_LOOKED_FOR_AT_ONCE = 100
_MOST = 200
_TOO_MANY = "too many sims are watched here"
_ID = re.compile(SIM_ID)
_MAP_ID = re.compile(r"[0-9a-f]{32}|")


class Shows:
    """Follows sims. `told`: called when its own is well, with None, and when it is not, with what is wrong."""

    def __init__(
        self, redis: Client, sim_id: str, rooms: Rooms, traces: Traces, told: Callable[[Fault | None], None]
    ) -> None:
        self._traces = traces
        self._redis = redis
        self._lookup = SimLookup(redis)
        self._rooms = rooms
        self._told = told
        self._shows: dict[str, Show] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._missing: dict[str, None] = {}
        """Sims that somebody watches and that have no show, in the order in which they are looked for."""
        self.own_id = sim_id

    @property
    def own(self) -> Show | None:
        """That of its own sim, once it runs."""
        return self._shows.get(self.own_id)

    def __len__(self) -> int:
        return len(self._shows)

    @property
    def missing(self) -> int:
        """How many sims are watched that do not exist."""
        return len(self._missing)

    def of(self, sim_id: str) -> Show | None:
        """Return the show of a sim that exists, begun if need be; None where there are too many."""
        if sim_id not in self._shows:
            if len(self._shows) >= _MOST:
                self._end_unwatched()
            if len(self._shows) >= _MOST:
                return None
            told = self._told if sim_id == self.own_id else lambda fault: self._note(sim_id, fault)
            show = self._shows[sim_id] = Show(self._redis, sim_id, self._rooms, self._traces, told)
            self._tasks[sim_id] = asyncio.create_task(show.run(), name=f"showing {sim_id}")
        return self._shows[sim_id]

    async def watch(self, spectator: str, sim_id: str, has_map: str) -> str | None:
        """Put a spectator into the room of a sim, and send it the state, or what is wrong; return why that is refused, or None."""
        if sim_id != self.own_id and sim_id not in self._shows:
            try:
                await self._lookup.require(sim_id)
            except (SimNotFound, RedisError) as error:
                await self._rooms.enter(spectator, room_of(sim_id))
                self._missing[sim_id] = None
                self._rooms.tell(spectator, "fault", fault_text(sim_id, error))
                return None
        show = self.of(sim_id)
        if show is None:
            return _TOO_MANY
        # Into the room first: a tick that is sent between the two arrives, and is passed over as known already.
        await self._rooms.enter(spectator, show.room)
        show.welcome(spectator, has_map)
        return None

    async def run(self, stop: asyncio.Event) -> None:
        """Show until `stop`, then let go of everything."""
        self.of(self.own_id)
        looking = asyncio.create_task(self._look_for_missing(stop), name="looking for sims")
        try:
            while not await wait_for_stop(stop, _LOOK_S):
                for task in (looking, *self._tasks.values()):
                    if task.done():
                        task.result()
                self._end_unwatched()
        finally:
            tasks = [looking, *self._tasks.values(), *self._ending]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _end_unwatched(self) -> None:
        for sim_id in [each for each, show in self._shows.items() if not show.is_watched]:
            if sim_id != self.own_id:
                self._end(sim_id)

    def _end(self, sim_id: str) -> None:
        del self._shows[sim_id]
        task = self._tasks.pop(sim_id)
        if task.done() and not task.cancelled():
            task.result()
        task.cancel()
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _note(self, sim_id: str, fault: Fault | None) -> None:
        """End the show of a sim that turns out not to exist: it does not count any more, and is looked for instead."""
        if isinstance(fault, SimNotFound) and sim_id in self._shows:
            self._missing[sim_id] = None
            self._end(sim_id)

    async def _look_for_missing(self, stop: asyncio.Event) -> None:
        """Begin the shows of sims that are watched, did not exist, and now do."""
        while not await wait_for_stop(stop, _LOOK_FOR_MISSING_S):
            wanted = [each for each in self._missing if self._rooms.members(room_of(each))]
            self._missing = dict.fromkeys(wanted)
            batch = wanted[:_LOOKED_FOR_AT_ONCE]
            try:
                existing = await lifecycle.exist(self._redis, batch)
            except RedisError:
                # The follower of the own sim reports it.
                continue
            for sim_id, exists in zip(batch, existing, strict=True):
                self._missing.pop(sim_id, None)
                if not exists or self.of(sim_id) is None:
                    # It is looked for again after all others.
                    self._missing[sim_id] = None


class Watching:
    """What spectators ask: to watch a sim, which is also what they ask after a gap; and whether we are there."""

    def __init__(self, shows: Shows, rooms: Rooms) -> None:
        self._shows = shows
        self._rooms = rooms
        rooms.on("watch", self._watch)
        rooms.on("beat", self._beat)

    async def _watch(self, spectator: str, *told: object) -> JsonValue:
        """Have a spectator watch a sim; returns what is wrong with what was asked, or None."""
        sim_id, has_map = (*told, "", "")[:2]
        sim_id = self._shows.own_id if sim_id in (None, "") else sim_id
        if not isinstance(sim_id, str) or not _ID.fullmatch(sim_id):
            return "that is not the id of a sim"
        if not isinstance(has_map, str) or not _MAP_ID.fullmatch(has_map):
            return "that is not the id of a map"
        return await self._shows.watch(spectator, sim_id, has_map)

    async def _beat(self, _spectator: str, *_told: object) -> None:
        """Answer, so that a page can measure how long that takes."""
