"""A show: one sim, followed, and told to all who are in its room. It is encoded once for all of them."""

import asyncio
import time
from collections.abc import Callable

from pydantic import JsonValue
from redis.exceptions import RedisError

from sector.models.frame import digest, encode
from sector.process import backoff
from sector.process.tracing import Attributes, Traces
from sector.state.errors import SimNotFound
from sector.state.history.event_codec import TickEvents
from sector.state.redis.client import Client
from sector.state.redis.error_messages import describe
from sector.state.tick import lease
from sector.state.watch.reader import SimView
from sector.state.watch.sim_watcher import Fault, SimWatcher
from sector.viz.metrics import DELAY, FRAME
from sector.viz.moment import deflated, of_tick, packed
from sector.viz.rooms import Message, Rooms

_LOOK_S = 1.0


def room_of(sim_id: str) -> str:
    """Return the room of those who watch a sim. No spectator's own room is called so."""
    return f"sim:{sim_id}"


class Show:
    """One sim. `told`: called when it is well, with None, and when it is not, with what is wrong."""

    def __init__(
        self,
        redis: Client,
        sim_id: str,
        rooms: Rooms,
        traces: Traces,
        told: Callable[[Fault | None], None] = lambda _: None,
    ) -> None:
        self._traces = traces
        self.sim_id = sim_id
        self.room = room_of(sim_id)
        self._redis = redis
        self._rooms = rooms
        self._told = told
        self._fault = ""
        self._worker: str | None = None
        self._map: tuple[str, bytes] | None = None
        self._moment: tuple[SimView, bytes] | None = None
        self._followed = SimWatcher(redis, sim_id, backoff, self._note)

    @property
    def view(self) -> SimView | None:
        """The newest view, where there is one."""
        return self._followed.latest_view

    @property
    def is_watched(self) -> bool:
        """Whether anybody is in its room."""
        return bool(self._rooms.members(self.room))

    async def run(self) -> None:
        """Follow until cancelled."""
        with self._followed.subscribe(self._hear):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._followed.run())
                tasks.create_task(self._watch_worker())

    def welcome(self, spectator: str, has_map: str) -> None:
        """Tell a spectator, who is in the room, the state; without the map, where it is the one that the spectator has already.

        Where nothing is known yet, the room will be told.
        """
        if (world := self._world(has_map)) is not None:
            self._rooms.tell(spectator, "world", world)
        elif self._fault:
            self._rooms.tell(spectator, "fault", self._fault)

    def _world(self, has_map: str = "") -> dict[str, JsonValue | bytes] | None:
        if (view := self.view) is None:
            return None
        if self._map is None:
            blob = encode(view.map)
            self._map = digest(blob), deflated(blob)
        if self._moment is None or self._moment[0] is not view:
            # What happened in this tick was told to those who were here.
            self._moment = view, deflated(packed(encode(view.snapshot), b"", view.head.at_ms, view.head.epoch))
        map_id, map_blob = self._map
        known: dict[str, JsonValue | bytes] = {} if has_map == map_id else {"map": map_blob}
        return {"sim": self.sim_id, "worker": self._worker, "map_id": map_id, "moment": self._moment[1], **known}

    def _hear(self, tick: TickEvents | None) -> None:
        if tick is not None:
            if self.is_watched:
                self._show(tick)
            return
        # It may have been founded anew, on another map.
        self._map = None
        if self.is_watched and (world := self._world()) is not None:
            self._rooms.tell(self.room, "world", world)

    def _show(self, tick: TickEvents) -> None:
        began_ns = time.time_ns()
        frame = deflated(of_tick(tick))
        self._rooms.tell(self.room, "tick", frame)
        ended_ns = time.time_ns()
        FRAME.observe(len(frame))
        DELAY.observe(max(ended_ns / 1e9 - tick.at_ms / 1000, 0.0))
        for parent in tick.traces:
            told: Attributes = {
                "sector.sim": self.sim_id,
                "sector.tick": tick.tick,
                "sector.frame_bytes": len(frame),
                "sector.spectators": len(self._rooms.members(self.room)),
            }
            self._traces.record("frame", parent, began_ns, ended_ns, told)

    def _note(self, fault: Fault | None) -> None:
        self._told(fault)
        said = "" if fault is None else fault_text(self.sim_id, fault)
        if said != self._fault:
            self._fault = said
            self._tell("fault", said)

    def _tell(self, name: str, message: Message) -> None:
        self._rooms.tell(self.room, name, message)

    async def _watch_worker(self) -> None:
        """See who holds the lease, as long as anybody wants to know, and tell when that changes."""
        await self._see_worker()
        while True:
            await asyncio.sleep(_LOOK_S)
            if self.is_watched:
                await self._see_worker()

    async def _see_worker(self) -> None:
        try:
            (holder,) = await lease.holders(self._redis, [self.sim_id])
        except RedisError:
            # The follower tells what is wrong.
            return
        worker = None if holder is None else holder.split(":")[0]
        if worker != self._worker:
            self._worker = worker
            self._tell("worker", worker)


def fault_text(sim_id: str, fault: Fault) -> str:
    """Return the message about a fault that spectators of a sim receive."""
    match fault:
        case SimNotFound():
            return f"there is no sim {sim_id} yet"
        case RedisError():
            return describe(fault)
        case _:
            return str(fault)
