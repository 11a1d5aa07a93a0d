"""The metrics of a complete world: processes export the documented ones, and their values are consistent."""

import subprocess

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis

from fixtures.metrics import documented_metrics, renamed_metrics, scrape_metrics, wait_for_metrics
from fixtures.processes import Processes, Service
from fixtures.requires import require_program
from fixtures.sim import LONG
from fixtures.waiting import wait_until

NOTE = {"type": "note", "faction": "Crimson", "text": "hello"}
# S0 is not a home of this faction, and no puppet moves its fleets.
BROKEN = {"type": "move_fleet", "faction": "Crimson", "system": "S0", "target": "S1", "ships": 1}
ORDERS = 30
WORKERS = ("worker", "standing by")


@pytest.fixture
def world(redis_url: str, processes: Processes) -> dict[str, Service]:
    workers = [
        processes.start(
            "worker",
            REDIS_URL=redis_url,
            WORKER_ID=name,
            TICK_DELAY="0.05",
            LEASE_TTL_MS="1000",
            SIM_CONFIG=LONG.model_dump_json(),
        )
        for name in ("one", "two")
    ]
    api = processes.start("api", REDIS_URL=redis_url)
    viz = processes.start("viz", REDIS_URL=redis_url)
    bot = processes.start("bot", API_URL=api.url, BOT_POLL_INTERVAL="0.1")
    return {"worker": workers[0], "standing by": workers[1], "api": api, "viz": viz, "bot": bot}


def _holder(world: dict[str, Service]) -> str | None:
    return next((name for name in WORKERS if scrape_metrics(world[name].url)["sector_sims_held"]), None)


def test_processes_export_exactly_the_documented_metrics(world: dict[str, Service]) -> None:
    httpx.post(f"{world['api'].url}/orders", json=NOTE)
    httpx.get(f"{world['viz'].url}/")
    listed, deprecated = documented_metrics(), renamed_metrics()
    for name in ("api", "worker", "viz", "bot"):
        expected = {each for each, metric in listed.items() if {name, "all"} & set(metric.services)}
        families = list(text_string_to_metric_families(httpx.get(f"{world[name].url}/metrics").text))
        own = {
            f"{each.name}_total" if each.type == "counter" else each.name: each
            for each in families
            if each.name.startswith("sector_")
        }
        earlier = {each: own.pop(each) for each in list(own) if each in deprecated}
        assert set(own) == expected, name
        assert set(earlier) == {each for each, new_name in deprecated.items() if new_name in expected}, name
        for earlier_name, family in earlier.items():
            assert family.documentation == f"Deprecated: use {deprecated[earlier_name]}."
        for family_name, family in own.items():
            assert family.type == listed[family_name].kind
            assert family.documentation.endswith(".")
            labels = {label for sample in family.samples for label in sample.labels} - {"le"}
            assert labels <= set(listed[family_name].labels)


def test_promtool_accepts_the_metrics(world: dict[str, Service]) -> None:
    program = require_program("promtool", hint="apt-get install prometheus")
    for name in ("api", "worker", "viz", "bot"):
        text = httpx.get(f"{world[name].url}/metrics").content
        run = subprocess.run([program, "check", "metrics"], input=text, capture_output=True, timeout=60, check=False)
        assert (run.returncode, run.stderr) == (0, b""), name


def test_a_bot_frees_loaded_snapshots(world: dict[str, Service]) -> None:
    def collected() -> tuple[float, float]:
        metrics = scrape_metrics(world["bot"].url)
        return metrics["sector_bot_turn_duration_seconds_count"], metrics["python_gc_collections_total", "0"]

    looks, before = collected()
    wait_until(lambda: collected()[0] > looks + 40, "it looked at the world")
    assert collected()[1] > before


def test_accepted_orders_are_those_that_ticks_applied_or_rejected(world: dict[str, Service]) -> None:
    world["bot"].end()
    api = world["api"].url
    for number in range(ORDERS):
        httpx.post(f"{api}/orders", json=NOTE if number % 3 else BROKEN).raise_for_status()
    accepted = scrape_metrics(api)["sector_orders_accepted_total"]
    assert accepted >= ORDERS

    def done() -> float:
        workers = [scrape_metrics(world[name].url) for name in WORKERS]
        rejected = [
            value for metrics in workers for name, value in metrics.items() if name[0] == "sector_orders_rejected_total"
        ]
        return sum(metrics["sector_orders_applied_total"] for metrics in workers) + sum(rejected)

    wait_until(lambda: done() == accepted, "each was taken by a tick")
    metrics = scrape_metrics(world[wait_until(lambda: _holder(world), "one holds it")].url)
    rejected = {name[1]: value for name, value in metrics.items() if name[0] == "sector_orders_rejected_total"}
    assert rejected["not_owner"] >= ORDERS // 3
    ticks = metrics["sector_tick_duration_seconds_count"]
    assert ticks >= 1
    assert [metrics["sector_tick_phase_duration_seconds_count", phase] for phase in ("read", "compute", "write")] == [
        ticks
    ] * 3
    assert metrics["sector_tick_lateness_seconds_count"] in (ticks, ticks - 1, ticks + 1)
    assert metrics["sector_lease_epoch", "default"] >= 1
    assert metrics["sector_snapshot_bytes", "default"] > 500
    assert metrics["sector_redis_round_trip_seconds_count", "WATCH"] >= ticks


def test_a_lease_that_changes_hands_is_a_takeover(world: dict[str, Service]) -> None:
    first = wait_until(lambda: _holder(world), "one holds it")
    (other,) = set(WORKERS) - {first}
    before = scrape_metrics(world[first].url)["sector_lease_epoch", "default"]
    world[first].process.kill()
    metrics = wait_for_metrics(world[other].url, lambda now: now["sector_sims_held"] == 1, "the other has it")
    assert metrics["sector_lease_takeovers_total"] == 1
    assert metrics["sector_leases_acquired_total"] == 1
    assert metrics["sector_lease_epoch", "default"] == before + 1


async def test_a_read_only_redis_is_counted_as_tick_failures(world: dict[str, Service], redis: Redis) -> None:
    def ticks_fail() -> bool:
        workers = [scrape_metrics(world[name].url) for name in WORKERS]
        failures = [name for metrics in workers for name in metrics if name[0] == "sector_tick_failures_total"]
        return bool(failures) and not all(metrics["sector_ready"] for metrics in workers)

    wait_until(lambda: _holder(world), "one holds it")
    await redis.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        wait_until(ticks_fail, "a tick that failed, and who cannot work")
    finally:
        await redis.execute_command("REPLICAOF", "NO", "ONE")
    for name in WORKERS:
        metrics = scrape_metrics(world[name].url)
        assert sum(value for metric, value in metrics.items() if metric[0] == "sector_condition") <= 2
    wait_until(lambda: all(scrape_metrics(world[name].url)["sector_ready"] for name in WORKERS), "well again")
