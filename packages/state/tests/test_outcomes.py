"""Outcomes of orders: pending, applied, rejected with a reason, or no longer stored."""

import asyncio

from redis.asyncio import Redis

from fixtures.sim import CONFIG, Sim
from sector.models import MoveFleet, Note
from sector.state.history.outcomes import Outcome, outcome

NOTE = Note(faction="Crimson", text="hello")


async def test_an_order_is_pending_until_it_is_applied_with_its_events(sim: Sim, redis: Redis) -> None:
    (order_id,) = await sim.order(NOTE)
    assert await outcome(redis, "default", order_id) == Outcome(order_id, "pending")
    tick = await sim.tick()
    result = await outcome(redis, "default", order_id)
    assert result is not None
    assert (result.status, result.tick, result.at_ms) == ("applied", 1, tick.head.at_ms)
    assert [(event["type"], event["text"]) for event in result.events] == [("note", "hello")]


async def test_a_rejected_order_has_a_reason(sim: Sim, redis: Redis) -> None:
    (order_id,) = await sim.order(MoveFleet(faction="Nobody", system="S0", target="S1", ships=1))
    await sim.tick()
    result = await outcome(redis, "default", order_id)
    assert result is not None
    assert (result.status, result.tick, result.reason) == ("rejected", 1, "unknown_faction")
    assert result.detail == "Nobody has not joined"


async def test_an_outcome_can_be_read_for_any_stored_tick(sim: Sim, redis: Redis) -> None:
    given: dict[str, int] = {}
    # The stored history has the ticks 6 to 15.
    await sim.tick(times=5)
    for tick in range(6, 16):
        first, second = await sim.order(NOTE, NOTE)
        given |= {first: tick, second: tick}
        await sim.tick()
    result = await asyncio.gather(*(outcome(redis, "default", order_id) for order_id in given))
    assert [each.tick for each in result if each] == list(given.values())
    # Trimmed outcomes are unknown.
    await sim.tick(times=5)
    result = await asyncio.gather(*(outcome(redis, "default", order_id) for order_id in given))
    assert [each and each.tick for each in result] == [None if tick <= 10 else tick for tick in given.values()]


async def test_an_unknown_order_has_no_outcome(sim: Sim, redis: Redis) -> None:
    await sim.tick(NOTE)
    for order_id in ("1-0", "99999999999999-0"):
        assert await outcome(redis, "default", order_id) is None


async def test_an_order_admitted_during_the_last_tick_is_rejected(redis: Redis) -> None:
    sim = await Sim.create(redis, CONFIG.model_copy(update={"max_ticks": 1}))
    await sim.tick()
    order_id = await sim.order_late(NOTE)
    result = await outcome(redis, "default", order_id)
    assert result is not None
    assert (result.status, result.reason) == ("rejected", "sim_finished")
    assert result.detail == "the sim finished at tick 1, before the order was applied"
