"""An observer: watches the ticks of a sim during a run, as the viz does, and records the state hash of each."""

import asyncio
from dataclasses import dataclass, field

from redis.exceptions import RedisError

from sector.process import backoff
from sector.state.errors import HistoryGone, HistoryRewound, SimNotFound
from sector.state.redis.client import Client
from sector.state.watch.reader import SimReader


@dataclass(slots=True)
class ObservedHashes:
    """The state hash last seen at each tick, and how often the sim was seen to go back in time."""

    hashes: dict[int, str] = field(default_factory=dict)
    rewound: int = 0


async def watch(redis: Client, sim_id: str, observed: ObservedHashes) -> None:
    """Watch until cancelled."""
    reader, last, pauses = SimReader(redis, sim_id), 0, backoff(max_s=0.3)
    while True:
        try:
            if last < 0:
                last = (await reader.head()).tick
            async for tick in reader.follow(last, block_ms=300):
                last = tick.tick
                observed.hashes[last] = tick.hash
                pauses = backoff(max_s=0.3)
        except HistoryRewound as rewound:
            observed.rewound += 1
            last = rewound.head_tick
        except HistoryGone:
            # The ticks between are no longer in the history: watch from the newest tick.
            last = -1
        except (RedisError, OSError, SimNotFound):
            await asyncio.sleep(next(pauses))
