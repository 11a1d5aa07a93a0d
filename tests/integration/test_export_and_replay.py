"""A sim of a worker, with orders over HTTP, is exported and replayed to the same state hashes."""

import subprocess
import sys
from pathlib import Path

import httpx

from fixtures.processes import Processes, environment, tick_of


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command], env=environment(), capture_output=True, text=True, timeout=120, check=False
    )


def test_an_exported_sim_replays_tick_by_tick(redis_url: str, processes: Processes, tmp_path: Path) -> None:
    config = '{"seed": 5, "systems": 40, "homes": 4, "keyframe_interval": 16}'
    worker = processes.start("worker", REDIS_URL=redis_url, TICK_DELAY="0.01", SIM_CONFIG=config)
    api = processes.start("api", REDIS_URL=redis_url)
    assert httpx.post(f"{api.url}/orders", json={"type": "join", "faction": "Me"}).status_code == 202
    worker.wait_for(lambda health: tick_of(health) > 20, "tick 20")
    notes = [{"type": "note", "faction": "Me", "text": str(n)} for n in range(50)]
    assert httpx.post(f"{api.url}/orders", json=notes).status_code == 207
    worker.wait_for(lambda health: tick_of(health) > 50, "tick 50")
    path = tmp_path / "sim.log"
    exported = _run("sector.state", "export", "default", str(path), "--redis-url", redis_url)
    assert exported.returncode == 0, exported.stderr
    replayed = _run("sector.world.replay", str(path))
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert "all as recorded" in replayed.stdout
