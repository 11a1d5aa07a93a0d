"""The bot: reads the state, chooses orders and submits them, over HTTP only, like any program of a player."""

import asyncio
import logging

from pydantic import JsonValue, ValidationError

from sector.bot.metrics import ACCEPTED, FAILURES, PLAY, REFUSED, TICK
from sector.bot.settings import BotSettings
from sector.bot.strategy import choose_orders
from sector.client import Client, ClientError, RequestRejected, Unavailable
from sector.models import Order
from sector.process import Health, backoff, wait_for_stop

log = logging.getLogger(__name__)

API = "api"
_UNAUTHORIZED = 401
_REFUSALS = {
    401: "the API rejected the token (401): correct API_TOKEN",
    403: "the token does not allow this faction or sim (403): use another API_TOKEN",
    404: "the sim does not exist, or API_URL is not the URL of the API (404): correct BOT_SIM or API_URL",
    429: "the API limits the request rate (429): raise BOT_POLL_INTERVAL",
}


def describe(error: ClientError | ValidationError) -> str:
    """Return the error of the API as text for /health. Texts from the network are only in the log."""
    match error:
        case RequestRejected():
            status = error.problem.status
            return _REFUSALS.get(status, f"the API rejected a request with status {status}")
        case Unavailable():
            return f"the API is unreachable or unavailable: {error.kind}"
        case ClientError():
            return f"the API cannot be used: {type(error).__name__}"
        case _:
            return "the API sent a response that this version cannot read: update the bot"


class Bot:
    """Plays one faction."""

    def __init__(self, settings: BotSettings, health: Health) -> None:
        self._settings = settings
        self._health = health
        self._accepted = 0
        self._refused = 0
        self._last_tick = -1
        self._is_authorized = True

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
        settings = self._settings
        token = settings.api_token.get_secret_value() if settings.api_token else ""
        async with Client(settings.api_url.text, token=token, sim=settings.bot_sim, retry_timeout_s=0) as client:
            while not stop.is_set():
                pause = settings.bot_poll_interval
                try:
                    with PLAY.time():
                        await self._play(client)
                    self._health.set_ok(API)
                    pauses = backoff()
                except (ClientError, ValidationError) as error:
                    FAILURES.labels(type(error).__name__).inc()
                    self._health.set_error(API, describe(error), cause=str(error))
                    # The first retries come soon: in a world that starts, the API is only seconds away.
                    pause = next(pauses)
                await wait_for_stop(stop, pause)

    async def _play(self, client: Client) -> None:
        snapshot = await client.snapshot()
        if snapshot.tick == self._last_tick and self._is_authorized:
            return
        self._last_tick = snapshot.tick
        TICK.set(snapshot.tick)
        for order in choose_orders(snapshot, self._settings.bot_faction, self._settings.bot_max_orders):
            await self._order(client, order)

    async def _order(self, client: Client, order: Order) -> None:
        try:
            await client.order(order)
        except RequestRejected as refused:
            # Until a token is accepted, each read must fail, also at the same tick: a success would clear the error.
            self._is_authorized = refused.problem.status != _UNAUTHORIZED
            if not self._is_authorized:
                raise
            self._refused += 1
            REFUSED.labels(refused.problem.status).inc()
            log.warning("order rejected", extra={"order": order.type, "error": str(refused)})
        else:
            self._is_authorized = True
            self._accepted += 1
            ACCEPTED.inc()
