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
    # An answer that it read lies in a cycle, and is as large as the world.
    run(app, settings, settings.health_port, tune_gc=False)


if __name__ == "__main__":
    main()
