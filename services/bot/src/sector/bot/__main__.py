"""`python -m sector.bot`: one bot process."""

import logging

from sector.bot.bot import API, Bot
from sector.bot.settings import BotSettings
from sector.process import Health, attach, create_app, load, run


def main() -> None:
    """Play until a signal."""
    settings = load(BotSettings, about="sector-bot: plays one faction over the API.")
    health = Health("bot", API)
    bot = Bot(settings, health)
    app = create_app(health, bot.details)
    attach(app, "bot", bot.run)
    app.before_server_start(lambda _: logging.getLogger("httpx").setLevel(logging.WARNING))
    run(app, settings, settings.health_port)


if __name__ == "__main__":
    main()
