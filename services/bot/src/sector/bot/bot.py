"""The bot: look at the world, choose, order; over HTTP only, as any player's program would."""

import asyncio
import logging

import httpx
from pydantic import JsonValue, ValidationError

from sector.bot.settings import BotSettings
from sector.bot.strategy import choose_orders
from sector.models import Order, Snapshot
from sector.process import Health, backoff, wait_for_stop

log = logging.getLogger(__name__)

API = "api"


class Bot:
    """Plays one faction."""

    def __init__(self, settings: BotSettings, health: Health) -> None:
        self._settings = settings
        self._health = health
        self._accepted = 0
        self._refused = 0
        self._last_tick = -1

    async def details(self) -> dict[str, JsonValue]:
        """Return what `/health` shows of this bot."""
        return {
            "faction": self._settings.bot_faction,
            "tick": self._last_tick,
            "orders_accepted": self._accepted,
            "orders_refused": self._refused,
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Play until `stop`. While the API is away it waits, with backoff."""
        pauses = backoff()
        timeout = httpx.Timeout(5.0)
        async with httpx.AsyncClient(base_url=self._settings.api_url, timeout=timeout) as client:
            while not stop.is_set():
                pause = self._settings.bot_poll_interval
                try:
                    await self._play(client)
                    self._health.well(API)
                    pauses = backoff()
                except (httpx.HTTPError, ValidationError) as error:
                    self._health.fault(API, f"{type(error).__name__}: {error}")
                    pause = max(pause, next(pauses))
                await wait_for_stop(stop, pause)

    async def _play(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/snapshot")
        answer.raise_for_status()
        snapshot = Snapshot.model_validate_json(answer.content)
        if snapshot.tick == self._last_tick:
            return
        self._last_tick = snapshot.tick
        for order in choose_orders(snapshot, self._settings.bot_faction, self._settings.bot_max_orders):
            await self._order(client, order)

    async def _order(self, client: httpx.AsyncClient, order: Order) -> None:
        answer = await client.post("/orders", json=order.model_dump(mode="json"))
        if answer.status_code >= 500:
            answer.raise_for_status()
        if answer.is_success:
            self._accepted += 1
        else:
            self._refused += 1
            log.warning("%s refused: %s", order.type, answer.text)
