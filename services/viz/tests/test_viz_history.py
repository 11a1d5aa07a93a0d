"""The history over HTTP: sims, timelines, the state at a tick, and the deltas and events of ticks."""

import time

import httpx
import pytest
from redis.asyncio import Redis
from spectator import read_tick_updates

from fixtures.own_valkey import OwnValkey
from fixtures.processes import Processes, Service
from fixtures.sim import CONFIG, Sim
from fixtures.users import as_user
from fixtures.waiting import wait_until
from sector.models import Join, Snapshot
from sector.models.delta import apply_delta
from sector.models.frame import digest, encode
from sector.state.history import history
from sector.state.keys import SimKeys
from sector.state.sims import lifecycle
from sector.world import SectorWorld

pytest_plugins = ("spectating",)


@pytest.fixture
def transports() -> tuple[str, ...]:
    """The only transport of these tests, which use HTTP."""
    return ("websocket",)


def ask(viz: Service, path: str) -> httpx.Response:
    return httpx.get(f"{viz.url}{path}", timeout=60)


async def test_all_sims_are_listed(viz: Service, sim: Sim, redis: Redis) -> None:
    await sim.tick(times=2)
    await lifecycle.create(redis, "other", SectorWorld(), CONFIG)
    listed = ask(viz, "/sims").json()["sims"]
    assert [(each["id"], each["tick"], each["status"]) for each in listed] == [
        ("default", 2, "running"),
        ("other", 0, "running"),
    ]


async def test_playback_can_start_at_any_tick_of_the_history(viz: Service, sim: Sim, redis: Redis) -> None:
    await sim.tick(Join(faction="Me"), times=13)
    (moment,) = read_tick_updates(ask(viz, "/sims/default/state?tick=7").content)
    assert digest(encode(moment.frame)) == (await history.at_tick(redis, "default", 7)).hash
    assert {event["tick"] for event in moment.events} <= {7}
    ticks = read_tick_updates(ask(viz, "/sims/default/ticks?after=7&limit=4").content)
    assert [each.tick for each in ticks] == [8, 9, 10, 11]
    state = moment.frame
    for each in ticks:
        state = apply_delta(state, each.frame)
    assert digest(encode(state)) == (await history.at_tick(redis, "default", 11)).hash
    assert ask(viz, "/sims/default/ticks?after=13").content == b""


async def test_the_timeline_has_totals_of_factions_and_counts_of_battles(viz: Service, sim: Sim) -> None:
    await sim.tick(Join(faction="Me"), times=17)
    await sim.tick(times=20)
    timeline = ask(viz, "/sims/default/timeline").json()
    assert (timeline["tick"], timeline["factions"]) == (37, ["Crimson", "Me"])
    # The history has the keyframes at 25, 30 and 35, and every tick after the second last keyframe.
    assert timeline["first"] == 25
    assert [each["tick"] for each in timeline["totals"]] == [25, *range(30, 38)]
    state = Snapshot.model_validate((await sim.reader.view()).rows(), strict=False)
    owned = [system.ships for system in state.systems if system.owner == "Crimson"]
    away = [fleet.ships for fleet in state.fleets if fleet.owner == "Crimson"]
    last = timeline["totals"][-1]
    assert (last["systems"][0], last["ships"][0]) == (len(owned), sum(owned) + sum(away))
    page = await sim.reader.events((24, 2**30), 10_000, lambda event: event["type"] == "battle")
    counts: dict[int, int] = {}
    for event in page.events:
        counts[int(str(event["tick"]))] = counts.get(int(str(event["tick"])), 0) + 1
    assert dict(timeline["battles"]) == counts


async def test_a_cached_timeline_equals_a_fresh_one(
    viz: Service, sim: Sim, redis_url: str, processes: Processes
) -> None:
    for _ in range(5):
        await sim.tick(times=4)
        ask(viz, "/sims/default/timeline")
    other = processes.start("viz", REDIS_URL=redis_url)
    grown, fresh = (ask(each, "/sims/default/timeline").json() for each in (viz, other))
    assert grown["totals"][-1] == fresh["totals"][-1]
    assert grown["battles"] == fresh["battles"]
    assert {each["tick"] for each in fresh["totals"]} <= {each["tick"] for each in grown["totals"]}


async def test_the_earlier_path_of_the_timeline_is_deprecated(viz: Service, sim: Sim) -> None:
    await sim.tick(times=3)
    earlier, now = ask(viz, "/sims/default/course"), ask(viz, "/sims/default/timeline")
    assert earlier.json() == now.json()
    assert earlier.headers["deprecation"].startswith("@")
    assert earlier.headers["link"] == '<timeline>; rel="successor-version"'
    assert "deprecation" not in now.headers


@pytest.mark.parametrize(
    ("accept_encoding", "content_encoding"), [("gzip", "gzip"), ("gzip;q=0", None), ("br, notgzip", None)]
)
async def test_a_state_is_compressed_if_the_client_accepts_it(
    viz: Service, sim: Sim, accept_encoding: str, content_encoding: str | None
) -> None:
    await sim.tick(times=20)
    response = httpx.get(
        f"{viz.url}/sims/default/state?tick=20", headers={"Accept-Encoding": accept_encoding}, timeout=20
    )
    assert response.headers.get("content-encoding") == content_encoding
    assert read_tick_updates(response.content)[0].tick == 20


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/sims/nowhere/timeline", 404, "sim 'nowhere' does not exist"),
        ("/sims/nowhere/ticks?after=0", 404, "sim 'nowhere' does not exist"),
        ("/sims/UPPER/state?tick=0", 404, "sim 'UPPER' does not exist"),
        ("/sims/default/state?tick=99", 404, "tick 99"),
        ("/sims/default/state", 400, "tick: '' is not a number"),
        ("/sims/default/state?tick=-1", 400, "tick: '-1' is not a number"),
        ("/sims/default/state?tick=9999999999999999", 400, "is not a number"),
        ("/sims/default/ticks?after=0&limit=100000", 400, "limit: 100000 is not a number from"),
        ("/sims/default/ticks?after=0&limit=0", 400, "limit: 0 is not a number from"),
    ],
)
async def test_an_invalid_request_is_refused_with_its_reason(
    viz: Service, path: str, status: int, message: str
) -> None:
    answer = ask(viz, path)
    assert answer.status_code == status
    assert message in answer.json()["message"]


async def test_a_tick_before_the_history_is_not_found(viz: Service, sim: Sim) -> None:
    await sim.tick(times=40)
    answer = ask(viz, "/sims/default/state?tick=3")
    message = "tick 3 of sim 'default' is not in its history: read a tick within the retention"
    assert (answer.status_code, answer.json()["message"]) == (404, message)
    moments = read_tick_updates(ask(viz, "/sims/default/ticks?after=3&limit=30").content)
    assert [each.tick for each in moments] == [31, 32, 33]


async def test_a_corrupt_keyframe_is_reported(viz: Service, sim: Sim, redis: Redis) -> None:
    await sim.tick(times=7)
    await redis.hset(SimKeys("default").keyframes, "5", b"garbage")
    answer = ask(viz, "/sims/default/state?tick=6")
    assert answer.status_code == 503
    assert "the history of sim 'default' is damaged at tick 5" in answer.json()["message"]
    assert ask(viz, "/sims/default/state?tick=4").status_code == 200


def test_an_unreachable_redis_is_reported(processes: Processes, own_valkey: OwnValkey) -> None:
    viz = processes.start("viz", wait=False, REDIS_URL=own_valkey.url)
    viz.wait_until(ready=False)
    answer = ask(viz, "/sims")
    assert (answer.status_code, answer.json()["message"]) == (
        503,
        "Redis is unreachable: start it, or correct REDIS_URL",
    )


def test_an_address_over_its_limit_gets_429_at_each_replica(sim: Sim, redis_url: str, processes: Processes) -> None:
    assert sim.lease.epoch == 1
    url = as_user(redis_url, "viz")
    one, other = (processes.start("viz", REDIS_URL=url, REQUESTS_PER_ADDRESS="20") for _ in range(2))
    path = "/sims/default/ticks?after=0"
    refused = wait_until(
        lambda: next((each for each in [ask(one, path)] if each.status_code == 429), None), "over its limit"
    )
    assert int(refused.headers["retry-after"]) >= 1
    assert "exceeds the limit of 20 requests per second" in refused.json()["message"]
    # The other replica accepts 200 from its own count alone, and 20 more each second.
    answered, began_s = 0, time.monotonic()
    while ask(other, path).status_code != 429:
        answered += 1
        assert answered < 190 + 20 * (time.monotonic() - began_s), "it does not know what the client used"
        ask(one, path)
        time.sleep(0.02)
    assert ask(other, "/").status_code == 200, "the page itself is no read of history"
