"""The texts that standalone prints: a screen when all processes are ready, then a status line every few seconds."""

from pathlib import Path

from sector.models import Snapshot
from sector.models.faction_totals import FactionTotals
from sector.standalone.topology import PLAYER, Topology
from sector.state.redis.url import RedisAddress

_BOT = "examples/bots/first_bot.py"


def redact_url(redis_url: str) -> str:
    """Return a URL without its password."""
    return str(RedisAddress.parse(redis_url))


def welcome_text(topology: Topology, logs: str, token_days: float, world_directory: str | None) -> str:
    """Return the screen: the addresses of the world, and commands to try."""
    api = topology.public_api_url
    order = f'{{"type": "join", "faction": "{PLAYER}"}}'
    # (where the repository is: not in an image)
    bot = f"    python3 {_BOT} --api {api} --token $TOKEN\n" if Path(_BOT).is_file() else ""
    in_memory = "in memory, deleted when this process ends (use --data DIR to store it)"
    storage = f"stored in {world_directory}" if world_directory else in_memory
    return f"""
  Sector is running.

    the page   {topology.viz_url}
    the API    {api}, with a console at {api}/docs
    Redis      {redact_url(topology.redis_url)}
    logs       {logs}
    the world  {storage}

  Try:

    curl {api}/snapshot
    curl "{api}/events?limit=5"
    curl -N {api}/events/stream

  To play, as {PLAYER}: press Play on the page, with this token, valid for {token_days:g} days (--token-days), or

    export TOKEN={topology.token}
    curl {api}/orders -H "Authorization: Bearer $TOKEN" -d '{order}'
{bot}
  Ctrl-C stops it all.
"""


def status_line(snapshot: Snapshot, orders: int) -> str:
    """Return tick, systems by faction, and orders accepted since the API started."""
    totals = FactionTotals.from_snapshot(snapshot)
    counts = [f"{faction} {systems}" for faction, systems in zip(totals.factions, totals.systems, strict=True)]
    free = len(snapshot.systems) - sum(totals.systems)
    state = f"finished, winner {snapshot.winner or 'none'}" if snapshot.status == "finished" else ""
    parts = [f"tick {snapshot.tick}", *counts, f"free {free}", f"orders {orders}", state]
    return " · ".join(part for part in parts if part)
