"""The two sides of admission, admission.py and admit.lua: they agree on each field of the call and on each result."""

import re
from collections.abc import Awaitable, Callable
from copy import replace
from typing import get_type_hints

import pytest
from pydantic_core import to_json
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from fixtures.admission import admit_group
from fixtures.sim import CONFIG, Sim
from fixtures.stored_values import read_stream
from sector.models import ORDER, Note
from sector.state.errors import (
    IdempotencyConflict,
    QueueFull,
    RateLimited,
    SimAlreadyFinished,
    SimNotFound,
    StorageFull,
)
from sector.state.keys import SimKeys
from sector.state.log import admission
from sector.state.log.admission import AdmissionPolicy, AdmissionResult, Admitted, Rate, Request, _Call, _Group
from sector.state.redis.replies import Reply, as_list

POLICY = AdmissionPolicy("default")
ONE = Request("me", [ORDER.dump_json(Note(faction="Crimson", text="hello"))])
KEYED = replace(ONE, key="k", digest=b"digest of it 16b", stored_response=b"rest")
TABLES = get_type_hints(_Call)
FIELDS = [(table, field) for table, columns in TABLES.items() for field in get_type_hints(columns)]


def change_call(monkeypatch: pytest.MonkeyPatch, change: Callable[[dict[str, dict[str, object]]], object]) -> None:
    """Change what the API sends to the script."""

    def encode_changed(call: dict[str, dict[str, object]]) -> bytes:
        change(call)
        return to_json(call)

    monkeypatch.setattr(admission, "to_json", encode_changed)


async def check_refused(redis: Redis, name: str) -> None:
    """Check that the script refuses the call because it lacks `name`, and writes nothing."""
    keys = set(await redis.keys("*"))
    with pytest.raises(ResponseError, match=f"admission: the call lacks {name}"):
        await admit_group(POLICY, redis, [KEYED])
    assert set(await redis.keys("*")) == keys
    assert await read_stream(redis, SimKeys("default").orders) == []


@pytest.mark.parametrize(("table", "field"), FIELDS)
async def test_a_call_without_a_field_is_an_error(
    sim: Sim, redis: Redis, monkeypatch: pytest.MonkeyPatch, table: str, field: str
) -> None:
    """So the script reads each field that is sent, and each field that it reads is sent."""
    change_call(monkeypatch, lambda call: call[table].pop(field))
    await check_refused(redis, field)


@pytest.mark.parametrize("table", TABLES)
async def test_a_call_without_a_table_is_an_error(
    sim: Sim, redis: Redis, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    change_call(monkeypatch, lambda call: call.pop(table))
    await check_refused(redis, table)


async def accepted(redis: Redis) -> AdmissionResult:
    return (await admit_group(POLICY, redis, [ONE]))[-1]


async def replayed(redis: Redis) -> AdmissionResult:
    return (await admit_group(POLICY, redis, [KEYED, KEYED]))[-1]


async def conflict(redis: Redis) -> AdmissionResult:
    return (await admit_group(POLICY, redis, [KEYED, replace(KEYED, digest=b"another one, 16b")]))[-1]


async def finished(redis: Redis) -> AdmissionResult:
    await redis.hset(SimKeys("default").head, "status", "finished")
    return (await admit_group(POLICY, redis, [ONE]))[-1]


async def storage_full(redis: Redis) -> AdmissionResult:
    await redis.config_set("maxmemory", int((await redis.info("memory"))["used_memory"] / 0.95))
    try:
        return (await admit_group(POLICY, redis, [ONE]))[-1]
    finally:
        await redis.config_set("maxmemory", 0)


async def queue_full(redis: Redis) -> AdmissionResult:
    return (await admit_group(AdmissionPolicy("default", max_pending=1), redis, [ONE, ONE]))[-1]


async def rate_limited(redis: Redis) -> AdmissionResult:
    limited = replace(ONE, rates=(Rate("token me", 0.1, 1),))
    return (await admit_group(POLICY, redis, [limited, limited]))[-1]


async def no_sim(redis: Redis) -> AdmissionResult:
    return (await admit_group(AdmissionPolicy("nowhere"), redis, [ONE]))[-1]


RESULTS: dict[str, tuple[type[object], Callable[[Redis], Awaitable[AdmissionResult]]]] = {
    "accepted": (Admitted, accepted),
    "replayed": (Admitted, replayed),
    "conflict": (IdempotencyConflict, conflict),
    "finished": (SimAlreadyFinished, finished),
    "storage full": (StorageFull, storage_full),
    "queue full": (QueueFull, queue_full),
    "rate limited": (RateLimited, rate_limited),
    "no sim": (SimNotFound, no_sim),
}


@pytest.mark.parametrize("result", RESULTS)
async def test_each_result_of_the_script_is_understood(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, result: str
) -> None:
    words: list[Reply] = []
    verdict = _Group.verdict

    def recorded(group: _Group, request: Request, answer: Reply) -> AdmissionResult:
        words.append(as_list(answer)[0])
        return verdict(group, request, answer)

    monkeypatch.setattr(_Group, "verdict", recorded)
    await Sim.create(redis, CONFIG)
    kind, submit = RESULTS[result]
    assert type(await submit(redis)) is kind
    assert words[-1] == result.encode()


def test_these_are_all_results_of_the_script() -> None:
    assert set(re.findall(r"answer = \{ '([a-z ]+)'", admission._SCRIPT.decode())) == RESULTS.keys()


def test_a_result_that_is_not_known_is_an_error() -> None:
    with pytest.raises(ResponseError, match="unknown result b'maybe'"):
        _Group(POLICY, [ONE]).verdict(ONE, [b"maybe"])
