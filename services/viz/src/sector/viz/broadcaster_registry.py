"""The broadcasters of a process: always that of the own sim, and those of other sims while they have spectators.

Only a sim that exists gets a broadcaster. A spectator may also watch a sim that does not exist yet: its broadcasts begin once it is
created.
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
from sector.viz.sim_broadcaster import SimBroadcaster, error_text, room_of, send_error

_LOOK_S = 5.0
_LOOK_FOR_MISSING_S = 1.0
_MAX_LOOKUPS = 100
_MAX_SIMS = 200
_TOO_MANY = "too many sims are watched: try again later"
_ID = re.compile(SIM_ID)
_MAP_ID = re.compile(r"[0-9a-f]{32}|")


class BroadcasterRegistry:
    """Starts and stops broadcasters. `on_status` is called with None if the own sim can be read, and with the error if not."""

    def __init__(
        self, redis: Client, sim_id: str, rooms: Rooms, traces: Traces, on_status: Callable[[Fault | None], None]
    ) -> None:
        self._traces = traces
        self._redis = redis
        self._lookup = SimLookup(redis)
        self._rooms = rooms
        self._on_status = on_status
        self._broadcasters: dict[str, SimBroadcaster] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._missing: dict[str, None] = {}
        """Sims that have spectators and do not exist, in the order in which they are looked up."""
        self.own_id = sim_id

    @property
    def own(self) -> SimBroadcaster | None:
        """The broadcaster of the own sim, or None before `run`."""
        return self._broadcasters.get(self.own_id)

    def __len__(self) -> int:
        return len(self._broadcasters)

    @property
    def missing(self) -> int:
        """How many sims have spectators and do not exist."""
        return len(self._missing)

    def of(self, sim_id: str) -> SimBroadcaster | None:
        """Return the broadcaster of a sim that exists, started if necessary; None if the process has too many."""
        if sim_id not in self._broadcasters:
            if len(self._broadcasters) >= _MAX_SIMS:
                self._end_unwatched()
            if len(self._broadcasters) >= _MAX_SIMS:
                return None
            report = self._on_status if sim_id == self.own_id else lambda fault: self._on_status_of(sim_id, fault)
            broadcaster = self._broadcasters[sim_id] = SimBroadcaster(
                self._redis, sim_id, self._rooms, self._traces, report
            )
            self._tasks[sim_id] = asyncio.create_task(broadcaster.run(), name=f"broadcast {sim_id}")
        return self._broadcasters[sim_id]

    async def watch(self, spectator: str, sim_id: str, has_map: str) -> str | None:
        """Let a spectator enter the room of a sim, and send it the state or the error. Returns why the sim is refused, or None."""
        if sim_id != self.own_id and sim_id not in self._broadcasters:
            try:
                await self._lookup.require(sim_id)
            except (SimNotFound, RedisError) as error:
                await self._rooms.enter(spectator, room_of(sim_id))
                self._missing[sim_id] = None
                send_error(self._rooms, spectator, error_text(sim_id, error))
                return None
        broadcaster = self.of(sim_id)
        if broadcaster is None:
            return _TOO_MANY
        # Enter the room first: the page ignores a tick that arrives before the state and is older than it.
        await self._rooms.enter(spectator, broadcaster.room)
        broadcaster.welcome(spectator, has_map)
        return None

    async def run(self, stop: asyncio.Event) -> None:
        """Broadcast until `stop`, then cancel all broadcasters."""
        self.of(self.own_id)
        lookup = asyncio.create_task(self._look_for_missing(stop), name="looking for sims")
        try:
            while not await wait_for_stop(stop, _LOOK_S):
                for task in (lookup, *self._tasks.values()):
                    if task.done():
                        task.result()
                self._end_unwatched()
        finally:
            tasks = [lookup, *self._tasks.values(), *self._ending]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _end_unwatched(self) -> None:
        for sim_id in [each for each, broadcaster in self._broadcasters.items() if not broadcaster.is_watched]:
            if sim_id != self.own_id:
                self._end(sim_id)

    def _end(self, sim_id: str) -> None:
        del self._broadcasters[sim_id]
        task = self._tasks.pop(sim_id)
        if task.done() and not task.cancelled():
            task.result()
        task.cancel()
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _on_status_of(self, sim_id: str, fault: Fault | None) -> None:
        """Stop the broadcaster of a sim that does not exist, and look the sim up from then on."""
        if isinstance(fault, SimNotFound) and sim_id in self._broadcasters:
            self._missing[sim_id] = None
            self._end(sim_id)

    async def _look_for_missing(self, stop: asyncio.Event) -> None:
        """Start the broadcasters of sims that were missing and exist now."""
        while not await wait_for_stop(stop, _LOOK_FOR_MISSING_S):
            watched = [each for each in self._missing if self._rooms.members(room_of(each))]
            self._missing = dict.fromkeys(watched)
            batch = watched[:_MAX_LOOKUPS]
            try:
                existing = await lifecycle.exist(self._redis, batch)
            except RedisError:
                # The watcher of the own sim reports it.
                continue
            for sim_id, exists in zip(batch, existing, strict=True):
                self._missing.pop(sim_id, None)
                if not exists or self.of(sim_id) is None:
                    # It is looked up again after all others.
                    self._missing[sim_id] = None


class SpectatorRequests:
    """Handles the requests of spectators: to watch a sim, which they repeat after a gap, and heartbeats."""

    def __init__(self, registry: BroadcasterRegistry, rooms: Rooms) -> None:
        self._registry = registry
        self._rooms = rooms
        rooms.on("watch", self._watch)
        rooms.on("heartbeat", self._heartbeat)
        # The name of version 0.11.
        rooms.on("beat", self._heartbeat)

    async def _watch(self, spectator: str, *arguments: object) -> JsonValue:
        """Let a spectator watch a sim; returns why the request is refused, or None."""
        sim_id, has_map = (*arguments, "", "")[:2]
        sim_id = self._registry.own_id if sim_id in (None, "") else sim_id
        if not isinstance(sim_id, str) or not _ID.fullmatch(sim_id):
            return "the id of the sim is invalid"
        if not isinstance(has_map, str) or not _MAP_ID.fullmatch(has_map):
            return "the id of the map is invalid"
        return await self._registry.watch(spectator, sim_id, has_map)

    async def _heartbeat(self, _spectator: str, *_arguments: object) -> None:
        """Acknowledge, so that a page can measure the round trip."""
