"""GET /orders/{id}: the status of an order, and long polling."""

import asyncio
import time

import httpx
import pytest
from redis.asyncio import Redis

from fixtures.orders import NOTE, post_order
from fixtures.processes import Processes, Service
from fixtures.sim import CONFIG, Sim
from sector.api import order_status
from sector.api.api_sim import ApiSim
from sector.api.order_status import _wait_for_outcome
from sector.models import Note
from sector.state.history import history
from sector.state.history.event_codec import TickEvents
from sector.state.history.outcomes import Outcome, outcome
from sector.state.log.admission import AdmissionPolicy


def submit(api: Service, order: object = NOTE) -> str:
    order_id: str = post_order(api, order).json()["id"]
    return order_id


def ask(api: Service, order_id: str, **query: str) -> httpx.Response:
    return httpx.get(f"{api.url}/orders/{order_id}", params=query, timeout=60)


async def test_an_order_is_pending_then_applied(api: Service, sim: Sim) -> None:
    order_id = submit(api)
    assert ask(api, order_id).json() == {"id": order_id, "status": "pending", "events": []}
    await sim.tick()
    status = ask(api, order_id).json()
    assert (status["status"], status["tick"]) == ("applied", 1)
    assert [event["text"] for event in status["events"]] == ["hello"]


async def test_a_rejected_order_has_a_reason(api: Service, sim: Sim) -> None:
    order_id = submit(
        api, {"type": "move_fleet", "faction": "Crimson", "system": "S0", "target": "S1", "ships": 10**12}
    )
    await sim.tick()
    status = ask(api, order_id).json()
    assert status["status"] == "rejected"
    assert status["reason"] in ("not_owner", "not_enough_ships")
    assert status["detail"]


async def test_a_long_poll_ends_when_the_order_is_applied(api: Service, sim: Sim) -> None:
    order_id = submit(api)
    async with httpx.AsyncClient(timeout=60) as client:
        waiting = [
            asyncio.create_task(client.get(f"{api.url}/orders/{order_id}", params={"wait": "30s"})) for _ in range(5)
        ]
        # The request waits: without a tick, the order has no outcome.
        assert not (await asyncio.wait(waiting, timeout=0.3))[0]
        await sim.tick()
        done, late = await asyncio.wait(waiting, timeout=60)
    assert not late
    assert {task.result().json()["status"] for task in done} == {"applied"}


def test_a_long_poll_that_times_out_is_pending(api: Service) -> None:
    order_id = submit(api)
    began_s = time.monotonic()
    assert ask(api, order_id, wait="300ms").json()["status"] == "pending"
    assert time.monotonic() - began_s >= 0.3


@pytest.mark.parametrize("order_id", ["1-0", "99999999999999-0", "hello", "-1-0", "1", "9" * 30 + "-0"])
def test_an_unknown_order_is_a_404(still_api: Service, order_id: str) -> None:
    answer = ask(still_api, order_id)
    assert (answer.status_code, answer.json()["title"]) == (404, "The order does not exist")


@pytest.mark.parametrize("wait", ["", "x", "31s", "-1s", "1e9", "inf"])
def test_an_invalid_wait_is_a_422(still_api: Service, wait: str) -> None:
    answer = ask(still_api, "1-0", wait=wait)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "wait")


async def test_an_order_after_the_end_of_the_sim_is_rejected(
    redis: Redis, redis_url: str, processes: Processes
) -> None:
    sim = await Sim.create(redis, CONFIG.model_copy(update={"max_ticks": 1}))
    api = processes.start("api", REDIS_URL=redis_url)
    first = submit(api)
    await sim.tick()
    late = await sim.order_late(Note(faction="Crimson", text="late"))
    assert ask(api, first).json()["status"] == "applied"
    status = ask(api, late, wait="5s").json()
    assert (status["status"], status["reason"]) == ("rejected", "sim_finished")


type Answers = asyncio.Queue[Outcome | None]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """The responses of Redis to each read of an outcome."""
    answers: Answers = asyncio.Queue()

    async def ask_redis(redis: Redis, sim_id: str, order_id: str) -> Outcome | None:
        answer = await outcome(redis, sim_id, order_id)
        answers.put_nowait(answer)
        return answer

    monkeypatch.setattr(order_status, "outcome", ask_redis)
    return answers


async def test_a_long_poll_reads_the_history_after_missed_ticks(
    live_sim: ApiSim, sim: Sim, redis: Redis, answers: Answers
) -> None:
    await sim.tick()
    (order_id,) = await sim.order(Note(faction="Crimson", text="hello"))
    ticks: asyncio.Queue[TickEvents | None] = asyncio.Queue()
    waiting = asyncio.create_task(_wait_for_outcome(live_sim, order_id, ticks, 60.0))
    # The tick before the order has no outcome of it, and causes no read.
    (before,) = await history.ticks(redis, "default", 0, 1)
    ticks.put_nowait(before)
    ticks.put_nowait(None)
    assert await answers.get() == Outcome(order_id, "pending")
    await sim.tick()
    ticks.put_nowait(None)
    result = await waiting
    assert result == answers.get_nowait() == await outcome(redis, "default", order_id)
    assert answers.empty()
    assert result is not None
    assert (result.status, result.tick) == ("applied", 2)


async def test_a_long_poll_ends_when_the_sim_finishes(redis: Redis, answers: Answers) -> None:
    sim = await Sim.create(redis, CONFIG.model_copy(update={"max_ticks": 1}))
    live_sim = ApiSim(redis, AdmissionPolicy("default"))
    task = asyncio.create_task(live_sim.run())
    await sim.tick()
    order_id = await sim.order_late(Note(faction="Crimson", text="late"))
    assert (await live_sim.current_view()).head.status == "finished"
    ticks: asyncio.Queue[TickEvents | None] = asyncio.Queue()
    (last,) = await history.ticks(redis, "default", 0, 1)
    ticks.put_nowait(last)
    result = await _wait_for_outcome(live_sim, order_id, ticks, 60.0)
    assert result is not None
    assert (result.status, result.reason) == ("rejected", "sim_finished")
    assert answers.qsize() == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
