"""The worker: wait for the lease, tick while it holds, give it back at the end. Whatever goes wrong, it starts over."""

import asyncio
import logging
import time

from pydantic import JsonValue
from redis.asyncio import Redis
from redis.exceptions import RedisError

from sector.models.frame import FrameError
from sector.process import Health, backoff, wait_for_stop
from sector.state import lease as leases
from sector.state import sims
from sector.state.errors import CommitConflict, LeaseLost, StateError
from sector.state.lease import Lease
from sector.state.ticker import Ticker
from sector.state.world import World
from sector.worker.pace import Pace
from sector.worker.settings import WorkerSettings

log = logging.getLogger(__name__)

REDIS = "redis"


class Worker[S]:
    """Ticks one sim whenever it holds its lease."""

    def __init__(self, settings: WorkerSettings, redis: Redis, world: World[S], health: Health) -> None:
        self._settings = settings
        self._redis = redis
        self._world = world
        self._health = health
        self._pace = Pace(settings.tick_delay)
        self._lease: Lease | None = None
        self._tick = -1
        self._conflicts = 0

    async def details(self) -> dict[str, JsonValue]:
        """Return what `/health` shows of this worker."""
        return {
            "worker": self._settings.worker_id,
            "sim": self._settings.sim_id,
            "epoch": self._lease.epoch if self._lease else None,
            "tick": self._tick,
            "late_ticks": self._pace.late,
            "conflicts": self._conflicts,
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`; then the lease, if it is held, is given back."""
        pauses = backoff()
        try:
            while not stop.is_set():
                try:
                    ticker = await self._take_over(stop)
                    if ticker is not None:
                        await self._tick_while_held(ticker, stop)
                    pauses = backoff()
                except LeaseLost as lost:
                    log.warning("%s; waiting for it", lost)
                except (RedisError, StateError, FrameError, OSError) as error:
                    self._health.fault(REDIS, f"{type(error).__name__}: {error}")
                    await wait_for_stop(stop, next(pauses))
                self._lease = self._lease if stop.is_set() else None
        finally:
            await self._give_back()

    async def _take_over(self, stop: asyncio.Event) -> Ticker[S] | None:
        """Found the sim if need be, and wait for its lease. Returns None if stopped before."""
        sim_id = self._settings.sim_id
        if await sims.found(self._redis, sim_id, self._world, self._settings.sim_config):
            log.info("founded sim %s: %d systems", sim_id, self._settings.sim_config.systems)
        self._health.well(REDIS)
        self._lease = await self._acquire(stop)
        if self._lease is None:
            return None
        log.info("holding the lease of sim %s, epoch %d", sim_id, self._lease.epoch)
        config, map_blob = await sims.read_founding(self._redis, sim_id)
        return Ticker(self._redis, self._world, config, map_blob, self._lease)

    async def _tick_while_held(self, ticker: Ticker[S], stop: asyncio.Event) -> None:
        """Tick until stopped, or until the lease is lost. Redis may be away meanwhile: the lease may well outlast that."""
        pauses = backoff()
        while not stop.is_set():
            try:
                await self._tick_once(ticker)
                self._health.well(REDIS)
                pauses = backoff()
                await self._wait_for_tick(ticker.lease, stop)
            except (RedisError, OSError) as error:
                self._health.fault(REDIS, f"{type(error).__name__}: {error}")
                await wait_for_stop(stop, next(pauses))

    async def _acquire(self, stop: asyncio.Event) -> Lease | None:
        settings = self._settings
        # A waiting worker looks often enough to be there within a tick of a lease given back.
        look_s = min(max(settings.tick_delay, 0.05), settings.lease_ttl_ms / 3000)
        while not stop.is_set():
            if lease := await leases.acquire(self._redis, settings.sim_id, settings.worker_id, settings.lease_ttl_ms):
                return lease
            await wait_for_stop(stop, look_s)
        return None

    async def _tick_once(self, ticker: Ticker[S]) -> None:
        try:
            tick = await ticker.tick()
        except CommitConflict as conflict:
            self._conflicts += 1
            log.warning("%s; reading again", conflict)
            return
        if tick.finished:
            if self._tick != tick.head.tick:
                log.info("sim %s finished at tick %d", self._settings.sim_id, tick.head.tick)
            await leases.renew(self._redis, ticker.lease)
        self._tick = tick.head.tick

    async def _wait_for_tick(self, lease: Lease, stop: asyncio.Event) -> None:
        """Wait until the next tick is due, renewing the lease on the way where the period is long or the sim is finished."""
        due_s = time.monotonic() + self._pace.until_next()
        renew_s = lease.ttl_ms / 3000
        while (left_s := due_s - time.monotonic()) > renew_s and not await wait_for_stop(stop, renew_s):
            await leases.renew(self._redis, lease)
        await wait_for_stop(stop, left_s if not stop.is_set() else 0)

    async def _give_back(self) -> None:
        if self._lease is None:
            return
        try:
            await leases.release(self._redis, self._lease)
        except (RedisError, StateError, OSError) as error:
            log.warning("could not give the lease back, it lapses by itself: %s", error)
        else:
            log.info("gave the lease of sim %s back", self._settings.sim_id)
