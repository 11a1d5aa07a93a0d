"""Examples of requests and responses for the OpenAPI document. A test validates each against its schema."""

from pydantic import JsonValue

_ORDER_ID, _AT_MS, _HASH = "1795504928742-0", 1795504929012, "0f3d5a62c1b94e7788a1f2c3d4e5f607"

MOVE: JsonValue = {"type": "move_fleet", "faction": "Aurora", "system": "S0", "target": "S1", "ships": 10}
ACCEPTED: JsonValue = {"id": _ORDER_ID, "status": "pending"}
PROBLEM: JsonValue = {
    "type": "about:blank",
    "title": "Invalid order",
    "status": 422,
    "detail": "ships: must be an integer",
    "errors": [{"field": "ships", "message": "must be an integer"}],
}
RESULTS: JsonValue = {"results": [{"status": 202, "id": _ORDER_ID}, {"status": 422, "problem": PROBLEM}]}
_NOTE: JsonValue = {
    "id": "212-0",
    "at_ms": _AT_MS,
    "type": "note",
    "tick": 212,
    "order": _ORDER_ID,
    "faction": "Aurora",
    "text": "hello",
    "system": None,
}
STATUS: JsonValue = {"id": _ORDER_ID, "status": "applied", "tick": 212, "at_ms": _AT_MS, "events": [_NOTE]}
EVENTS: JsonValue = {"events": [_NOTE], "next": "212-0", "more": False}
STREAM: JsonValue = 'id: 212-0\nevent: note\ndata: {"id":"212-0","type":"note","faction":"Aurora","text":"hello"}\n\n'
SNAPSHOT: JsonValue = {
    "sim": "default",
    "tick": 212,
    "at_ms": _AT_MS,
    "status": "running",
    "winner": None,
    "state_hash": _HASH,
    "factions": [{"id": "Aurora", "colour": "#4c9be8", "supply": 50, "puppet": False, "alive": True}],
    "systems": [
        {
            "id": "S0",
            "name": "Alcor",
            "x": 10,
            "y": -4,
            "growth": 3,
            "supply_yield": 2,
            "owner": "Aurora",
            "ships": 60,
        }
    ],
    "fleets": [
        {"id": "F7", "owner": "Aurora", "origin": "S0", "target": "S1", "ships": 10, "departed": 210, "arrives": 217}
    ],
    "lanes": [{"a": "S0", "b": "S1", "length": 7}],
    "homes": [{"system": "S0"}],
}
MAP: JsonValue = {
    "sim": "default",
    "systems": [{"id": "S0", "name": "Alcor", "x": 10, "y": -4, "growth": 3, "supply_yield": 2}],
    "lanes": [{"a": "S0", "b": "S1", "length": 7}],
    "homes": [{"system": "S0"}],
}
FORK: JsonValue = {"id": "what-if"}
SIM: JsonValue = {"id": "mine", "config": {"systems": 200, "seed": 7}}
REQUESTED_SIM: JsonValue = {"id": "mine", "status": "founding"}
SIMS: JsonValue = {
    "sims": [{"id": "default", "status": "running", "tick": 212, "at_ms": _AT_MS}, REQUESTED_SIM],
    "more": False,
}
DETAILS: JsonValue = {
    "id": "default",
    "status": "running",
    "tick": 212,
    "at_ms": _AT_MS,
    "tick_length_ms": 500,
    "state_hash": _HASH,
    "first_tick": 0,
    "keyframes": [0, 128],
    "config": {"systems": 60, "seed": 11},
}
LIVE: JsonValue = {"live": True}
READY: JsonValue = {
    "service": "api",
    "ready": True,
    "conditions": {"redis": {"ok": True, "since_ms": _AT_MS}, "sim": {"ok": True, "since_ms": _AT_MS}},
}
UNREADY: JsonValue = {
    "service": "api",
    "ready": False,
    "conditions": {
        "redis": {
            "ok": False,
            "since_ms": _AT_MS,
            "blocks": True,
            "error": "Redis is unreachable: start it, or correct REDIS_URL",
        }
    },
}
METRICS: JsonValue = "# TYPE sector_api_streams gauge\nsector_api_streams 3.0\n"
