"""GET /snapshot: rows or columns, in each content coding, now or at an earlier tick."""

import asyncio
import gzip
from collections.abc import Callable

import brotli
import httpx
import orjson
import pytest
import zstandard
from redis.asyncio import Redis

from fixtures.processes import Processes, Service
from fixtures.sim import CONFIG, Sim
from sector.models import Snapshot

UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": zstandard.ZstdDecompressor().decompress,
}


def raw(api: Service, accepted: str, path: str = "/snapshot", **headers: str) -> tuple[httpx.Response, bytes]:
    """Return the response, and the body as it was sent."""
    request_headers = {"Accept-Encoding": accepted, **headers}
    with httpx.stream("GET", f"{api.url}{path}", headers=request_headers) as answer:
        return answer, b"".join(answer.iter_raw())


def wait_for_tick(api: Service, tick: int) -> None:
    api.wait_for(lambda health: health.get("tick", -1) >= tick, f"at tick {tick}")


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip", "gzip"),
        ("br", "br"),
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=1.0, zstd;q=0.5", "gzip"),
        ("*", "zstd"),
        ("*, zstd;q=0", "br"),
    ],
)
def test_the_preferred_content_coding_is_used(still_api: Service, accepted: str, coding: str) -> None:
    _, plain = raw(still_api, "identity")
    answer, body = raw(still_api, accepted)
    assert answer.headers["content-encoding"] == coding
    assert answer.headers["vary"] == "accept-encoding"
    assert UNPACK[coding](body) == plain
    assert len(body) < len(plain)


@pytest.mark.parametrize("accepted", ["", "identity", "deflate", "gzip;q=0", "gzip;q=x", "identity;q=1, gzip;q=0.5"])
def test_without_an_accepted_coding_it_is_not_compressed(still_api: Service, accepted: str) -> None:
    answer, body = raw(still_api, accepted)
    assert "content-encoding" not in answer.headers
    assert Snapshot.model_validate_json(body).tick == 0


def test_each_format_has_its_own_etag(still_api: Service) -> None:
    forms = [
        (path, coding) for path in ("/snapshot", "/snapshot?format=columns", "/map") for coding in ("gzip", "identity")
    ]
    tags = [raw(still_api, coding, path)[0].headers["etag"] for path, coding in forms]
    assert len(set(tags)) == len(forms)
    for (path, coding), tag in zip(forms, tags, strict=True):
        for if_none_match in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            answer, body = raw(still_api, coding, path, **{"If-None-Match": if_none_match})
            assert (answer.status_code, body) == (304, b"")
            assert answer.headers["etag"] == tag
        assert raw(still_api, coding, path, **{"If-None-Match": '"other"'})[0].status_code == 200


def test_columns_and_rows_are_equal(still_api: Service) -> None:
    rows = httpx.get(f"{still_api.url}/snapshot").json()
    columns = httpx.get(f"{still_api.url}/snapshot", params={"format": "columns"}).json()
    assert rows.keys() == columns.keys()
    for name, table in columns.items():
        if isinstance(table, dict):
            table = [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)]
        assert table == rows[name]
    assert len(orjson.dumps(columns)) < 0.6 * len(orjson.dumps(rows))


async def test_time_travel_shows_each_tick_as_it_was(api: Service, sim: Sim) -> None:
    snapshots = {}
    for tick in range(1, 13):
        await sim.tick()
        wait_for_tick(api, tick)
        snapshots[tick] = httpx.get(f"{api.url}/snapshot").content
    for tick, body in snapshots.items():
        assert httpx.get(f"{api.url}/snapshot", params={"tick": tick}).content == body
    founded = httpx.get(f"{api.url}/snapshot", params={"tick": 0}).json()
    assert (founded["tick"], founded["at_ms"]) == (0, None)
    Snapshot.model_validate_json(httpx.get(f"{api.url}/snapshot", params={"tick": 0}).content)
    columns = httpx.get(f"{api.url}/snapshot", params={"tick": 7, "format": "columns"})
    assert columns.json()["state_hash"] == orjson.loads(snapshots[7])["state_hash"]


async def test_a_trimmed_tick_is_a_404_with_the_range(api: Service, sim: Sim) -> None:
    await sim.tick(times=20)
    wait_for_tick(api, 20)
    for tick in (3, 21):
        answer = httpx.get(f"{api.url}/snapshot", params={"tick": tick})
        assert answer.status_code == 404
        assert answer.json()["detail"] == f"tick {tick} of sim default is not in the history: use 10 to 20"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("format=xml", "format"),
        ("format=map", "format"),
        ("tick=x", "tick"),
        ("tick=-1", "tick"),
        (f"tick={'9' * 40}", "tick"),
        ("tick=1&tick=2", "tick"),
        ("colour=red", "colour"),
    ],
)
def test_a_wrong_query_is_a_422_that_names_the_parameter(still_api: Service, query: str, field: str) -> None:
    answer = httpx.get(f"{still_api.url}/snapshot?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_a_large_world_is_encoded_once(redis: Redis, redis_url: str, processes: Processes) -> None:
    await Sim.create(redis, CONFIG.model_copy(update={"systems": 3_000}))
    api = processes.start("api", REDIS_URL=redis_url)
    async with httpx.AsyncClient(timeout=60) as reader:
        answers = await asyncio.gather(
            *(
                reader.get(f"{api.url}/snapshot", headers={"Accept-Encoding": coding})
                for coding in ("gzip", "zstd") * 10
            )
        )
    assert {len(answer.json()["systems"]) for answer in answers} == {3_000}


def test_head_has_all_headers_and_no_body(still_api: Service) -> None:
    got = httpx.get(f"{still_api.url}/snapshot", headers={"Accept-Encoding": "identity"})
    head = httpx.head(f"{still_api.url}/snapshot", headers={"Accept-Encoding": "identity"})
    assert head.status_code == 200
    assert head.content == b""
    assert {name: value for name, value in head.headers.items() if name != "x-request-id"} == {
        name: value for name, value in got.headers.items() if name != "x-request-id"
    }
