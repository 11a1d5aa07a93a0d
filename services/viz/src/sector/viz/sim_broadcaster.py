"""Broadcasts one sim to its spectators. Each message is encoded once, for any number of them."""

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
from sector.viz.rooms import Rooms
from sector.viz.tick_codec import deflate, encode_tick, encode_tick_events

_LOOK_S = 1.0


def room_of(sim_id: str) -> str:
    """Return the name of the room of a sim's spectators. It differs from the name of every spectator's own room."""
    return f"sim:{sim_id}"


class SimBroadcaster:
    """Watches one sim and broadcasts its ticks. `on_status` is called with None if the sim can be read, and with the error if not."""

    def __init__(
        self,
        redis: Client,
        sim_id: str,
        rooms: Rooms,
        traces: Traces,
        on_status: Callable[[Fault | None], None] = lambda _: None,
    ) -> None:
        self._traces = traces
        self.sim_id = sim_id
        self.room = room_of(sim_id)
        self._redis = redis
        self._rooms = rooms
        self._on_status = on_status
        self._error: str | None = None
        self._worker: str | None = None
        self._map: tuple[str, bytes] | None = None
        self._moment: tuple[SimView, bytes] | None = None
        self._watcher = SimWatcher(redis, sim_id, backoff, self._on_watcher_status)

    @property
    def view(self) -> SimView | None:
        """The newest view, or None before the first one."""
        return self._watcher.latest_view

    @property
    def is_watched(self) -> bool:
        """Whether the room of the sim has spectators."""
        return bool(self._rooms.members(self.room))

    async def run(self) -> None:
        """Watch until cancelled."""
        with self._watcher.subscribe(self._on_tick):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watcher.run())
                tasks.create_task(self._watch_worker())

    def welcome(self, spectator: str, has_map: str) -> None:
        """Send the state to a spectator that entered the room. A map that the spectator has already is left out.

        Before the first view nothing is sent: the room receives that view when it is read.
        """
        if (world := self._world_message(has_map)) is not None:
            self._rooms.broadcast(spectator, "world", world)
        elif self._error is not None:
            send_error(self._rooms, spectator, self._error)

    def _world_message(self, has_map: str | None = None) -> dict[str, JsonValue | bytes] | None:
        if (view := self.view) is None:
            return None
        if self._map is None:
            blob = encode(view.map)
            self._map = digest(blob), deflate(blob)
        if self._moment is None or self._moment[0] is not view:
            # A new spectator receives the state only: the events of this tick were broadcast before.
            head = view.head
            self._moment = view, deflate(encode_tick(encode(view.snapshot), b"", head.at_ms or 0, head.epoch or 0))
        map_id, map_blob = self._map
        map_field: dict[str, JsonValue | bytes] = {} if has_map == map_id else {"map": map_blob}
        return {"sim": self.sim_id, "worker": self._worker, "map_id": map_id, "moment": self._moment[1], **map_field}

    def _on_tick(self, tick: TickEvents | None) -> None:
        if tick is not None:
            if self.is_watched:
                self._broadcast_tick(tick)
            return
        # The sim may have been deleted and created again, on another map.
        self._map = None
        if self.is_watched and (world := self._world_message()) is not None:
            self._rooms.broadcast(self.room, "world", world)

    def _broadcast_tick(self, tick: TickEvents) -> None:
        began_ns = time.time_ns()
        frame = deflate(encode_tick_events(tick))
        self._rooms.broadcast(self.room, "tick", frame)
        ended_ns = time.time_ns()
        FRAME.observe(len(frame))
        DELAY.observe(max(ended_ns / 1e9 - tick.at_ms / 1000, 0.0))
        for parent in tick.traces:
            attributes: Attributes = {
                "sector.sim": self.sim_id,
                "sector.tick": tick.tick,
                "sector.frame_bytes": len(frame),
                "sector.spectators": len(self._rooms.members(self.room)),
            }
            self._traces.record("frame", parent, began_ns, ended_ns, attributes)

    def _on_watcher_status(self, fault: Fault | None) -> None:
        self._on_status(fault)
        message = None if fault is None else error_text(self.sim_id, fault)
        if message != self._error:
            self._error = message
            send_error(self._rooms, self.room, message)

    async def _watch_worker(self) -> None:
        """Poll the owner of the lease while the sim is watched, and broadcast each change."""
        await self._check_worker()
        while True:
            await asyncio.sleep(_LOOK_S)
            if self.is_watched:
                await self._check_worker()

    async def _check_worker(self) -> None:
        try:
            (holder,) = await lease.holders(self._redis, [self.sim_id])
        except RedisError:
            # The watcher reports it.
            return
        worker = None if holder is None else holder.split(":")[0]
        if worker != self._worker:
            self._worker = worker
            self._rooms.broadcast(self.room, "worker", worker)


def send_error(rooms: Rooms, room: str, text: str | None) -> None:
    """Send the error of a sim to a room or a spectator; None once it is over. `fault` is the event's name in version 0.11."""
    for name in ("sim_error", "fault"):
        rooms.broadcast(room, name, text or "")


def error_text(sim_id: str, fault: Fault) -> str:
    """Return the text of an error for the spectators of a sim."""
    match fault:
        case SimNotFound():
            return f"sim {sim_id} does not exist yet"
        case RedisError():
            return describe(fault)
        case _:
            return str(fault)
