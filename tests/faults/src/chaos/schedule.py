"""The schedule: which faults come when. The same seed gives the same schedule."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

WORKER_KILLED, WORKER_PAUSED, WORKER_TERMINATED = "worker killed", "worker paused", "worker terminated"
API_KILLED, API_TERMINATED = "API killed", "API terminated"
PROCESSES = (WORKER_KILLED, WORKER_PAUSED, WORKER_TERMINATED, API_KILLED, API_TERMINATED)

CUT_BEFORE, CUT_AFTER, HELD = "cut before EXEC arrived", "cut before EXEC's answer arrived", "EXEC held back"
SLOW, HALF_OPEN, CUT = "connections slow", "connections half-open", "connections cut"
NETWORK = (CUT_BEFORE, CUT_AFTER, HELD, SLOW, HALF_OPEN, CUT)

CRASH, KILLED_CONNECTIONS, FAILOVER, MIGRATION = "Redis killed", "connections killed", "failover", "slot migrated"

KINDS = {
    "one": (*PROCESSES, *NETWORK, CRASH),
    "sentinel": (*PROCESSES, KILLED_CONNECTIONS, FAILOVER),
    "cluster": (*PROCESSES, KILLED_CONNECTIONS, FAILOVER, MIGRATION),
}
"""The kinds of faults by what Redis is: one server, a Sentinel trio, a cluster of six."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `pick`, 0 to below 1, says which of those that it can hit; `lasting_s`, for how long, or until it is mended."""

    at_s: float
    kind: str
    pick: float
    lasting_s: float


def schedule(seed: int, seconds: float, kinds: Sequence[str]) -> Iterator[Fault]:
    """Yield faults for a run of so many seconds. Each kind comes once before any comes twice, as if dealt from a shuffled deck."""
    chance = random.Random(seed)  # noqa: S311  (nothing secret)
    deck: list[str] = []
    at_s = 1.0
    while at_s < seconds:
        if not deck:
            deck = list(kinds)
            chance.shuffle(deck)
        yield Fault(at_s, deck.pop(), chance.random(), chance.uniform(0.3, 2.0))
        at_s += chance.uniform(0.4, 1.6)
