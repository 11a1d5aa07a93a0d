"""What survives the end of a process, and of a whole world."""

import os
import signal
from pathlib import Path

import httpx
from standalone.running_world import Start

pytest_plugins = ("standalone.running_world",)


def test_a_crashed_process_is_restarted_and_reported(standalone: Start) -> None:
    one = standalone()
    one.says("Ctrl-C stops it all.")
    for name, module in (("worker", "sector.worker"), ("api", "sector.api"), ("valkey", "valkey-server")):
        victim = next(pid for pid, command in one.children().items() if module in command)
        os.kill(victim, signal.SIGKILL)
        one.says(f"{name} died (signal SIGKILL); starting it again")
        one.runs(module)
    one.says("tick ", times=one.log.read_text().count("tick ") + 2)


def test_the_data_option_keeps_the_world(standalone: Start, tmp_path: Path) -> None:
    world_folder = tmp_path / "world"
    first = standalone("--data", str(world_folder), "--seed", "5", "--systems", "30")
    first.says("Ctrl-C stops it all.")
    first.reaches(10)
    assert (
        httpx.post(f"{first.api}/orders", json={"type": "join", "faction": "Me"}, headers=first.headers).status_code
        == 202
    )
    first.reaches(first.tick() + 3)
    first.process.send_signal(signal.SIGINT)
    assert first.ends() == 0
    second = standalone("--data", str(world_folder))
    second.says("Ctrl-C stops it all.")
    snapshot = httpx.get(f"{second.api}/snapshot", timeout=60).json()
    assert snapshot["tick"] >= 13
    assert len(snapshot["systems"]) == 30
    note = {"type": "note", "faction": "Me", "text": "a token of the first run is good in the second"}
    assert httpx.post(f"{second.api}/orders", json=note, headers=first.headers).status_code == 202
    open_to_others = [path for path in (world_folder, *world_folder.rglob("*")) if path.stat().st_mode & 0o077]
    assert open_to_others == []
    assert "Me" in [faction["id"] for faction in snapshot["factions"]]
    second.reaches(snapshot["tick"] + 3)
