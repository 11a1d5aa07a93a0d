"""The most expensive requests of each endpoint: ten of each, as far as there are so many that differ."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import orjson

_NOTE = {"type": "note", "faction": "Azure", "text": "hello"}
_SYSTEM = {"x": 0, "y": 0, "growth": 1, "supply_yield": 1, "ships": 1}
_CODINGS = ("identity", "gzip", "br", "zstd")


class Call(NamedTuple):
    """A request. `path` may contain `{tick}`, a tick in the middle of the history."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = {}


def _bodies(path: str, *bodies: object) -> list[Call]:
    return [Call("POST", path, body if isinstance(body, bytes) else orjson.dumps(body)) for body in bodies]


def _gets(*paths: str) -> list[Call]:
    return [Call("GET", path) for path in paths]


def _coded(*paths: str) -> list[Call]:
    return [Call("GET", path, headers={"Accept-Encoding": coding}) for path in paths for coding in _CODINGS]


def _sim(config: object) -> dict[str, object]:
    return {"id": "new", "config": config}


def _map(systems: Sequence[object], lanes: Sequence[object] = (), homes: Sequence[object] = ("S0", "S1")) -> object:
    return _sim({"map": {"systems": list(systems), "lanes": list(lanes), "homes": list(homes)}, "puppets": []})


_SYSTEMS = [_SYSTEM | {"id": f"S{n}", "name": f"n{n}"} for n in range(9_000)]

EXPENSIVE: Mapping[str, Sequence[Call]] = {
    "POST /orders": _bodies(
        "/orders",
        b"[" * 2**20,
        b'{"a":' * 200_000,
        b'"' + b"\\u0041" * 170_000 + b'"',
        [[]] * 300_000,
        _NOTE | {f"k{n}": 1 for n in range(90_000)},
        _NOTE | {"k" * 1_000_000: 1},
        _NOTE | {"text": [{}] * 300_000},
        [_NOTE | {"text": "\U0001f600" * 200}] * 1_000,
        [{}] * 1_000,
        [
            {"type": "move_fleet", "faction": "Azure", "system": f"S{10**8 + n}", "target": "S1", "ships": 1}
            for n in range(1_000)
        ],
        [_NOTE | {f"k{n}": 1 for n in range(28)}] * 1_000,
    ),
    "POST /sims": _bodies(
        "/sims",
        _map([{}] * 300_000),
        _map([{}] * 59_000),
        _map(_SYSTEMS),
        _map(_SYSTEMS, [{"a": f"S{n}", "b": f"S{n + 1}"} for n in range(8_999)], ["S0"] * 1_000),
        _map(_SYSTEMS[:2], [{"a": "S0", "b": "S1"}] * 50_000),
        _map(_SYSTEMS[:2], homes=["S0"] * 200_000),
        _sim({"players": [f"P{n}" for n in range(100_000)]}),
        _sim({f"k{n}": 1 for n in range(90_000)}),
        _sim({"k" * 1_000_000: 1}),
        b'{"id":"new","config":' * 49_000,
    ),
    "GET /events": _gets(
        "/events?tick=0&faction=Nobody",
        "/events?tick=0&limit=1000",
        "/events?after={tick}-0&limit=1000",
        "/events?tick=0&type=note&limit=1000",
        "/events?tick=0&type=battle&limit=1000",
        "/events?tick=0&faction=Crimson&limit=1000",
        "/events?tick={tick}&faction=Azure&limit=1",
        "/events?after=999999999-0",
        f"/events?type={'battle,' * 900}battle",
        f"/events?after={'9' * 7_000}",
    ),
    "GET /events/stream": _gets(
        "/events/stream?tick=0&faction=Nobody",
        "/events/stream?tick=0",
        "/events/stream?tick=0&type=battle",
        "/events/stream?tick={tick}",
        "/events/stream?after=0-0",
        "/events/stream?after={tick}-5&faction=Crimson",
        "/events/stream?after=999999999-0",
        "/events/stream?tick=0&type=note&faction=Azure",
        "/events/stream",
        "/events/stream?tick=1&type=fleet_arrived",
    ),
    "GET /snapshot": _coded("/snapshot", "/snapshot?format=columns", "/snapshot?tick={tick}", "/snapshot?tick=1"),
    "GET /map": [
        *_coded("/map"),
        Call("GET", "/map", headers={"If-None-Match": ", ".join(['"x"'] * 1_500)}),
        Call("GET", "/map", headers={"Accept-Encoding": ", ".join(f"a{n};q=0.{n}" for n in range(600))}),
    ],
    "others": _gets("/sims?limit=1000", "/sims/default", "/sims/nowhere", "/orders/1-1", "/openapi.json", "/docs"),
}
