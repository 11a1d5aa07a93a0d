"""Encoded views: each body is encoded once, also for concurrent requests."""

import asyncio
from collections import Counter

import pytest
from pydantic import JsonValue
from redis.asyncio import Redis

from fixtures.sim import CONFIG, Sim
from sector.api import encoded_views
from sector.api.encoded_views import Coding, EncodedViews, negotiate_encoding
from sector.state.watch.reader import SimView

CODINGS: tuple[Coding, ...] = ("identity", "gzip", "br", "zstd")


@pytest.mark.parametrize("systems", [24, 3_000])
async def test_each_format_is_encoded_once(redis: Redis, monkeypatch: pytest.MonkeyPatch, systems: int) -> None:
    encoded: Counter[str] = Counter()

    def counted(view: SimView) -> JsonValue:
        encoded["rows"] += 1
        return view.rows()

    monkeypatch.setattr(encoded_views, "_MAKE", {**encoded_views._MAKE, "rows": counted})
    sim = await Sim.create(redis, CONFIG.model_copy(update={"systems": systems}))
    view = EncodedViews(await sim.reader.view())
    first = await asyncio.gather(*(view.get("rows", "gzip") for _ in range(20)))
    again = await asyncio.gather(*(view.get("rows", coding) for coding in CODINGS))
    assert len({id(body) for body in first}) == 1
    assert again[1] is first[0]
    assert encoded == {"rows": 1}


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [("GZIP", "gzip"), ("br;q=0.1, gzip;q=0.1", "br"), ("identity;q=0.5, gzip;q=0.1", "identity")],
)
def test_the_content_coding_is_negotiated_by_weight(accepted: str, coding: str) -> None:
    assert negotiate_encoding(accepted) == coding
