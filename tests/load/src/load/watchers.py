"""Users that watch: spectators poll the state, and streamers subscribe to ticks and events."""

import asyncio
import time

import socketio
from locust import task

from load.outcomes import PromiseBroken
from load.page import tick_of
from load.user import REQUEST, STREAM, SectorUser
from sector.client import ClientError, Gap

_STREAM, _SOCKET = "GET /events/stream", "Socket.IO tick"
_CONNECT_WITHIN_S = 10.0


class Spectator(SectorUser):
    """Polls the snapshot with its ETag."""

    last = -1

    @task
    def look(self) -> None:
        """Poll once."""
        self.do(self._look())

    async def _look(self) -> None:
        snapshot = await self.measured("GET /snapshot, ETag", self.client.snapshot())
        if snapshot.tick < self.last:
            self.note(REQUEST, "GET /snapshot, ETag", 0, PromiseBroken("the world went back in time"))
        self.last = snapshot.tick


class Streamer(SectorUser):
    """Stays subscribed for a while: to the event stream of the API, or with --viz to the Socket.IO server of the page."""

    @task
    def listen(self) -> None:
        """Read the event stream (SSE)."""
        self.do(self._listen())

    @task
    def watch(self) -> None:
        """Watch like the page (Socket.IO)."""
        self.do(self._watch() if self.options.viz else self._listen())

    async def _listen(self) -> None:
        last = (-1, -1)
        try:
            async with asyncio.timeout(self.options.stay):
                async for event in self.client.follow():
                    if isinstance(event, Gap):
                        self.note(STREAM, _STREAM, 0, PromiseBroken("events are missing"))
                        continue
                    tick, _, number = (event.id or "").partition("-")
                    at = int(tick), int(number)
                    if at <= last:
                        self.note(STREAM, _STREAM, 0, PromiseBroken("an event came twice, or late"))
                    if at[0] != last[0] and event.at_ms is not None:
                        self.note(STREAM, _STREAM, max(time.time() * 1000 - event.at_ms, 0))
                    last = at
        except TimeoutError:
            return
        except ClientError as error:
            self.note(STREAM, _STREAM, 0, error)

    async def _watch(self) -> None:
        last: int | None = None
        gone = asyncio.Event()
        page = socketio.AsyncClient(serializer="msgpack", reconnection=False)

        def tick(blob: bytes) -> None:
            nonlocal last
            number, at_ms = tick_of(blob)
            fault = None if last is None or number == last + 1 else PromiseBroken("ticks are missing")
            self.note(STREAM, _SOCKET, max(time.time() * 1000 - at_ms, 0), fault)
            last = number

        def world(_: object) -> None:
            # A fresh snapshot, followed by ticks.
            nonlocal last
            last = None

        def cut(*_: object) -> None:
            gone.set()

        page.on("tick", tick)
        page.on("world", world)
        page.on("disconnect", cut)
        try:
            start = time.perf_counter()
            await page.connect(self.options.viz, socketio_path="ws", transports=["websocket"])
            wrong = await page.call("watch", (self.options.sim, ""), timeout=_CONNECT_WITHIN_S)
            fault = None if wrong is None else PromiseBroken(str(wrong))
            self.note(REQUEST, "Socket.IO watch", (time.perf_counter() - start) * 1000, fault)
            async with asyncio.timeout(self.options.stay):
                await gone.wait()
            self.note(STREAM, _SOCKET, 0, PromiseBroken("the connection was cut"))
        except socketio.exceptions.SocketIOError as error:
            self.note(REQUEST, "Socket.IO watch", 0, error)
        except TimeoutError:
            return
        finally:
            await page.disconnect()
