"""The users of a soak run: players that order and wait for each result, and spectators that watch. A log has the time of each step.

The players of a fault trial (`chaos/players.py`) do not wait for results, because a checker compares the order log afterwards.
"""

import asyncio
import random
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
import socketio
from httpx_sse import SSEError

from chaos.clients import Clients, Where
from load.page import tick_of
from sector.client import Client, ClientError, Gap, RequestRejected, Unavailable
from sector.models import AddFleet, MoveFleet, Note, Order

RETRY_TIMEOUT_S = 5.0
_RETRY_PAUSE_S = 0.5
_WAIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Sample:
    """The duration of a step, in seconds. `at_s`: when it began, on the monotonic clock."""

    kind: str
    at_s: float
    took_s: float


@dataclass(slots=True)
class UserLog:
    """What the users recorded. `open`: acknowledged orders without a result, by sim and id. `wrong`: broken promises."""

    samples: list[Sample] = field(default_factory=list)
    acknowledged: int = 0
    applied: int = 0
    rejected: int = 0
    open: dict[tuple[str, str], float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    ticks: int = 0
    """The number of ticks that all spectators and streams received."""

    def note(self, kind: str, at_s: float) -> None:
        """Record a step that began at `at_s` and has ended."""
        self.samples.append(Sample(kind, at_s, time.monotonic() - at_s))


async def play(clients: Clients, factions: Sequence[str], think_s: float, log: UserLog, stop: asyncio.Event) -> None:
    """Submit orders, and wait for the result of each, until `stop`."""
    chance = random.Random()  # noqa: S311  (nothing secret)
    while not await _stopped(stop, chance.uniform(think_s / 2, think_s * 1.5)):
        order = _order(chance, factions)
        order_id = await _submit(clients, order, log, stop)
        if order_id is not None:
            await _wait_for_result(clients, order_id, log, stop)


def _order(chance: random.Random, factions: Sequence[str]) -> Order:
    faction, system = chance.choice(factions), f"S{chance.randrange(24)}"
    match chance.randrange(4):
        case 0:
            return AddFleet(faction=faction, system=system, ships=1)
        case 1:
            return MoveFleet(faction=faction, system=system, target=f"S{chance.randrange(24)}", ships=1)
        case _:
            return Note(faction=faction, text="soak")


async def _submit(clients: Clients, order: Order, log: UserLog, stop: asyncio.Event) -> str | None:
    """Submit an order under one key until it is acknowledged."""
    key = uuid.uuid4().hex
    while (client := await _wait_for_client(clients, stop)) is not None:
        began_s = time.monotonic()
        try:
            order_id = await client.order(order, key=key)
        except Unavailable:
            continue
        except RequestRejected as refused:
            log.wrong.append(f"an order was answered with {refused}")
            return None
        log.note("acknowledged", began_s)
        log.acknowledged += 1
        log.open[clients.sim_id, order_id] = began_s
        return order_id
    return None


async def _wait_for_result(clients: Clients, order_id: str, log: UserLog, stop: asyncio.Event) -> None:
    """Wait for the result of an order. An order without one at the end is looked up then."""
    began_s = time.monotonic()
    while (client := await _wait_for_client(clients, stop)) is not None:
        try:
            order_status = await client.outcome(order_id, wait_s=_WAIT_S)
        except Unavailable:
            continue
        except RequestRejected as refused:
            log.wrong.append(f"order {order_id} was acknowledged, and asked for it was answered with {refused}")
            return
        if order_status.status != "pending":
            log.note("outcome", began_s)
            settle(log, (clients.sim_id, order_id), order_status.status)
            return


def settle(log: UserLog, order: tuple[str, str], status: str) -> None:
    """Record the result of an order, by sim and id."""
    del log.open[order]
    log.applied += status == "applied"
    log.rejected += status == "rejected"


async def watch(where: Where, log: UserLog, stop: asyncio.Event) -> None:
    """Watch like the page, and reconnect to the current address of the viz."""
    while not stop.is_set():
        url = where()
        if url is None:
            await _stopped(stop, _RETRY_PAUSE_S)
            continue
        page, last = socketio.AsyncClient(serializer="msgpack", reconnection=False), [-1]
        gone = asyncio.Event()

        def tick(blob: bytes, last: list[int] = last) -> None:
            number, at_ms = tick_of(blob)
            took_s = max(time.time() - at_ms / 1000, 0)
            log.samples.append(Sample("seen", time.monotonic() - took_s, took_s))
            log.ticks += 1
            if last[0] >= 0 and number != last[0] + 1:
                log.wrong.append(f"tick {number} was shown after {last[0]}")
            last[0] = number

        def world(_: object, last: list[int] = last) -> None:
            last[0] = -1

        def cut(*_: object, gone: asyncio.Event = gone) -> None:
            gone.set()

        page.on("tick", tick)
        page.on("world", world)
        page.on("disconnect", cut)
        try:
            await page.connect(url, socketio_path="ws", transports=["websocket"])
            await page.call("watch", ("", ""), timeout=_WAIT_S)
            done, waiting = await asyncio.wait(
                [asyncio.ensure_future(gone.wait()), asyncio.ensure_future(stop.wait())],
                return_when=asyncio.FIRST_COMPLETED,
            )
            for each in waiting:
                each.cancel()
            await asyncio.gather(*done, *waiting, return_exceptions=True)
        except (socketio.exceptions.SocketIOError, OSError):
            await _stopped(stop, _RETRY_PAUSE_S)
        finally:
            await page.disconnect()


async def listen(clients: Clients, log: UserLog, stop: asyncio.Event) -> None:
    """Read the event stream, and reconnect after the last event."""
    after, last = "", (-1, -1)
    while (client := await _wait_for_client(clients, stop)) is not None:
        try:
            async for event in client.follow(after=after):
                if isinstance(event, Gap):
                    log.wrong.append(f"events after {event.after} are missing on a stream")
                    continue
                tick, _, number = (event.id or "").partition("-")
                at = int(tick), int(number)
                if at <= last:
                    log.wrong.append(f"event {event.id} came after {last}")
                if at[0] != last[0] and event.at_ms is not None:
                    took_s = max(time.time() - event.at_ms / 1000, 0)
                    log.samples.append(Sample("heard", time.monotonic() - took_s, took_s))
                    log.ticks += 1
                last, after = at, event.id or after
                if stop.is_set() or clients.now() is not client:
                    break
        except (ClientError, httpx.HTTPError, SSEError):
            await _stopped(stop, _RETRY_PAUSE_S)


async def _wait_for_client(clients: Clients, stop: asyncio.Event) -> Client | None:
    """Return the client once the API runs; None at the end of the run."""
    while not stop.is_set():
        if (client := clients.now()) is not None:
            return client
        await _stopped(stop, _RETRY_PAUSE_S)
    return None


async def _stopped(stop: asyncio.Event, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            await stop.wait()
    except TimeoutError:
        return False
    return True
