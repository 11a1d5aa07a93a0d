"""A world of processes: orders over HTTP change the world, which survives the end of its worker."""

import signal
from collections.abc import Callable

import httpx
import pytest

from fixtures.processes import Processes, Service
from fixtures.sim import CONFIG
from fixtures.waiting import wait_until
from sector.models import Snapshot
from sector.models.snapshot import System

# Without puppets only the orders of the test change owners.
ALONE = CONFIG.model_copy(update={"puppets": (), "keyframe_interval": 1000})
WORKER = {"TICK_DELAY": "0.05", "LEASE_TTL_MS": "1000", "SIM_CONFIG": ALONE.model_dump_json()}


class Player:
    """A program of a player, which uses only HTTP."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=60)

    def snapshot(self) -> Snapshot:
        return Snapshot.model_validate_json(self._client.get("/snapshot").raise_for_status().content)

    def order(self, **order: object) -> str:
        answer = self._client.post("/orders", json=order)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def events(self) -> list[dict[str, object]]:
        events: list[dict[str, object]] = []
        after = "0-0"
        while True:
            page = self._client.get("/events", params={"after": after, "limit": 1000}).raise_for_status().json()
            if not page["events"]:
                return events
            events += page["events"]
            after = page["next"]

    def wait_for_outcome(self, order_id: str) -> dict[str, object]:
        """Wait until the order was applied; returns its event."""
        return wait_until(lambda: next((e for e in self.events() if e.get("order") == order_id), None), order_id)

    def wait_for_snapshot(self, condition: Callable[[Snapshot], bool], what: str) -> Snapshot:
        """Wait for a snapshot that meets a condition."""
        return wait_until(lambda: now if condition(now := self.snapshot()) else None, what)


@pytest.fixture
def worker(processes: Processes, redis_url: str) -> Service:
    return processes.start("worker", wait=True, REDIS_URL=redis_url, WORKER_ID="one", **WORKER)


@pytest.fixture
def player(worker: Service, processes: Processes, redis_url: str) -> Player:
    assert worker.process.poll() is None
    return Player(processes.start("api", REDIS_URL=redis_url).url)


def own(snapshot: Snapshot, faction: str) -> dict[str, System]:
    return {system.id: system for system in snapshot.systems if system.owner == faction}


def beside(snapshot: Snapshot, system: str) -> set[str]:
    return {lane.b if lane.a == system else lane.a for lane in snapshot.lanes if system in (lane.a, lane.b)}


def test_orders_change_the_world_and_have_outcomes(player: Player) -> None:
    joined = player.wait_for_outcome(player.order(type="join", faction="Me"))
    assert joined["type"] == "faction_joined"
    home = str(joined["system"])
    snapshot = player.wait_for_snapshot(lambda now: home in own(now, "Me"), "a home")

    before = own(snapshot, "Me")[home].ships
    mustered = player.wait_for_outcome(player.order(type="add_fleet", faction="Me", system=home, ships=5))
    assert (mustered["type"], mustered["ships"]) == ("ships_mustered", 5)
    assert (
        own(player.wait_for_snapshot(lambda now: now.tick >= int(str(mustered["tick"])), "that tick"), "Me")[home].ships
        > before
    )

    near = beside(snapshot, home)
    neutral = min((each for each in snapshot.systems if each.id in near), key=lambda each: each.ships)
    price = ALONE.claim_base + ALONE.claim_per_ship * neutral.ships
    player.wait_for_snapshot(lambda now: now.factions[0].supply >= price, "enough supply")
    claimed = player.wait_for_outcome(player.order(type="set_owner", faction="Me", system=neutral.id))
    assert (claimed["type"], claimed["system"]) == ("system_claimed", neutral.id)
    player.wait_for_snapshot(lambda now: neutral.id in own(now, "Me"), "the claimed system")

    moved = player.wait_for_outcome(
        player.order(type="move_fleet", faction="Me", system=home, target=neutral.id, ships=3)
    )
    assert moved["type"] == "fleet_departed"
    player.wait_for_snapshot(lambda now: now.tick >= int(str(moved["arrives"])), "the arrival")
    (arrived,) = (e for e in player.events() if e["type"] == "fleet_arrived" and e["fleet"] == moved["fleet"])
    assert (arrived["tick"], arrived["system"], arrived["ships"]) == (moved["arrives"], neutral.id, 3)

    noted = player.wait_for_outcome(player.order(type="note", faction="Me", text="well met", system=home))
    assert (noted["type"], noted["text"]) == ("note", "well met")

    reach = {home, *near, *beside(snapshot, neutral.id)}
    far = next(system.id for system in snapshot.systems if system.id not in reach)
    rejected = player.wait_for_outcome(player.order(type="set_owner", faction="Me", system=far))
    assert (rejected["type"], rejected["reason"]) == ("order_rejected", "not_adjacent")


def test_a_killed_worker_loses_and_duplicates_no_order(
    player: Player, worker: Service, processes: Processes, redis_url: str
) -> None:
    player.wait_for_outcome(player.order(type="join", faction="Me"))
    second = processes.start("worker", wait=True, REDIS_URL=redis_url, WORKER_ID="two", **WORKER)
    given = [player.order(type="note", faction="Me", text=f"{n}") for n in range(20)]
    worker.process.send_signal(signal.SIGKILL)
    given += [player.order(type="note", faction="Me", text=f"{n}") for n in range(20, 40)]
    worker.process.wait()
    player.wait_for_outcome(given[-1])
    notes = [event for event in player.events() if event["type"] == "note"]
    assert [note["order"] for note in notes] == given
    assert [note["text"] for note in notes] == [f"{n}" for n in range(40)]
    assert second.wait_for(lambda health: health["held"]["default"]["epoch"] == 2, "at epoch 2")["worker"] == "two"
    ticks = [int(str(event["tick"])) for event in player.events()]
    assert ticks == sorted(ticks)


def test_a_bot_plays_over_http(player: Player, processes: Processes) -> None:
    bot = processes.start(
        "bot",
        API_URL=str(player._client.base_url),
        BOT_FACTION="Robo",
        BOT_POLL_INTERVAL="0.05",
        BOT_MAX_ORDERS="2",
    )
    player.wait_for_snapshot(lambda now: len(own(now, "Robo")) >= 3, "three systems of the bot")
    health = bot.wait_for(lambda health: health["orders_accepted"] >= 3, "heard")
    assert (health["faction"], health["orders_refused"]) == ("Robo", 0)
    by_tick: dict[object, int] = {}
    for event in player.events():
        if event.get("order") and event.get("faction") == "Robo":
            by_tick[event["tick"]] = by_tick.get(event["tick"], 0) + 1
    # The bot reads once per tick and sends up to two orders. Orders of two reads may be in one tick.
    assert max(by_tick.values()) <= 4
