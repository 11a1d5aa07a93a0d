"""`python -m sector.bot`: one bot process."""

import logging

from sector.bot.bot import API, Bot
from sector.bot.settings import BotSettings
from sector.process import Health, attach, create_app, load, run

_DESCRIPTION = (
    "sector-bot: plays one faction over the API.\n" "example: API_URL=http://127.0.0.1:8000 BOT_FACTION=Me sector-bot"
)


def main() -> None:
    """Play until a signal."""
    settings = load(BotSettings, about=_DESCRIPTION)
    health = Health("bot", API)
    bot = Bot(settings, health)
    app = create_app(health, bot.details)
    attach(app, "bot", bot.run)
    app.before_server_start(lambda _: logging.getLogger("httpx").setLevel(logging.WARNING))
    # A response is held in a reference cycle and is as large as the world, so the garbage collector must run often.
    run(app, settings, settings.health_port, tune_gc=False)


if __name__ == "__main__":
    main()
