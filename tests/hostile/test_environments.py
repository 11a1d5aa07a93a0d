"""Each environment of the table: all services become ready, the world ticks, a bot plays in it, and all end with 0."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from fixtures.broken_logs import BROKEN_LOGS
from fixtures.long import LONG
from fixtures.metrics import wait_for_metrics
from fixtures.processes import Processes
from hostile.environments import ENVIRONMENTS, Environment

SELECTED = ENVIRONMENTS if LONG else ENVIRONMENTS[:2]


@pytest.mark.parametrize("environment", SELECTED, ids=[each.name for each in SELECTED])
def test_a_world_runs_in_this_environment(
    environment: Environment, redis_url: str, processes: Processes, tmp_path: Path
) -> None:
    # Each process is started by itself: libraries read some variables when they are imported.
    log = BROKEN_LOGS[environment.log](tmp_path) if environment.log else nullcontext(2)
    settings = {**environment.settings, "REDIS_URL": redis_url}
    with log as stderr:
        processes.stderr = stderr
        worker = processes.start("worker", wait=False, TICK_DELAY="0.05", **settings)
        api = processes.start("api", wait=False, **settings)
        viz = processes.start("viz", wait=False, **settings)
        bot = processes.start("bot", wait=False, API_URL=api.url, BOT_POLL_INTERVAL="0.1", **settings)
        for service in (worker, api, viz, bot):
            service.wait_until(ready=True)
        wait_for_metrics(bot.url, lambda metrics: metrics["sector_bot_orders_accepted_total"] > 0, "the bot plays")
        assert api.health() is not None
        for service in (bot, viz, api, worker):
            if environment.log and service in (api, worker):
                wait_for_metrics(service.url, lambda metrics: metrics["sector_log_lines_dropped_total"] > 0, "it logs")
            assert service.end() == 0, service.name
