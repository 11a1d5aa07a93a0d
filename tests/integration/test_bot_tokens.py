"""A bot whose token does not allow its orders reports that, and plays once it may."""

import pytest

from fixtures.processes import Processes, Service
from fixtures.sim import Sim
from fixtures.tokens import SECRET, create_token
from fixtures.waiting import wait_until


@pytest.fixture
def api(sim: Sim, redis_url: str, processes: Processes) -> Service:
    assert sim.lease.epoch == 1
    return processes.start("api", REDIS_URL=redis_url, AUTH_SECRET=SECRET)


def bot(processes: Processes, api: Service, **settings: str) -> Service:
    return processes.start("bot", wait=False, API_URL=api.url, BOT_FACTION="Robo", BOT_POLL_INTERVAL="0.05", **settings)


def test_a_bot_fails_until_it_has_a_valid_token(api: Service, processes: Processes) -> None:
    robo = bot(processes, api)
    robo.wait_for_fault("api", "the API rejected the token")
    # The sim does not tick. Failed orders are retried, and do not count.
    tries = api.log.read_text().count('"status":401')
    robo.wait_for(lambda _: api.log.read_text().count('"status":401') > tries, "trying again")
    health = robo.health()
    assert health is not None
    assert "the API rejected the token" in health.json()["conditions"]["api"]["fault"]
    assert (health.json()["orders_accepted"], health.json()["orders_refused"]) == (0, 0)


async def test_a_bot_continues_after_a_refused_order(api: Service, sim: Sim, processes: Processes) -> None:
    robo = bot(processes, api, API_TOKEN=create_token("Azure"))
    robo.wait_for(lambda health: health["orders_refused"] == 1, "refused")
    await sim.tick()
    health = robo.wait_for(lambda health: health["orders_refused"] == 2, "refused again")
    assert (health["ready"], health["orders_accepted"], health["tick"]) == (True, 0, 1)
    wait_until(lambda: '"order rejected","order":"join"' in robo.log.read_text(), "the line")
