"""The schedule of the faults. Equal seeds give equal schedules."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

WORKER_KILLED, WORKER_PAUSED, WORKER_TERMINATED = "worker killed", "worker paused", "worker terminated"
API_KILLED, API_TERMINATED = "API killed", "API terminated"
PROCESSES = (WORKER_KILLED, WORKER_PAUSED, WORKER_TERMINATED, API_KILLED, API_TERMINATED)

TICK_REQUEST_LOST, TICK_REPLY_LOST = "tick: EXEC request lost", "tick: EXEC reply lost"
TICK_DELAYED = "tick: EXEC delayed"
ORDER_REQUEST_LOST, ORDER_REPLY_LOST = "order: request lost", "order: reply lost"
SLOW, HALF_OPEN, RESET = "connections slow", "connections half-open", "connections reset"
TICK_EXEC = (TICK_REQUEST_LOST, TICK_REPLY_LOST, TICK_DELAYED)
NETWORK = (*TICK_EXEC, ORDER_REQUEST_LOST, ORDER_REPLY_LOST, SLOW, HALF_OPEN, RESET)

CRASH, KILLED_CONNECTIONS, FAILOVER, MIGRATION = "Redis killed", "Redis connections killed", "failover", "slot migrated"

KINDS = {
    # Faults at EXEC of a tick occur twice as often, because they test the transaction.
    "one": (*PROCESSES, *NETWORK, *TICK_EXEC, CRASH),
    "sentinel": (*PROCESSES, KILLED_CONNECTIONS, FAILOVER),
    "cluster": (*PROCESSES, KILLED_CONNECTIONS, FAILOVER, MIGRATION),
}
"""The kinds of faults by topology of Redis: one server, a Sentinel trio, a cluster of six."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `pick`, from 0 to below 1, selects its target; `lasting_s` is its duration."""

    at_s: float
    kind: str
    pick: float
    lasting_s: float


def schedule(seed: int, seconds: float, kinds: Sequence[str], every_s: float = 1.0) -> Iterator[Fault]:
    """Yield faults for some seconds, from a shuffled deck of `kinds`: each kind occurs before any occurs again.

    `every_s` is the average interval in seconds.
    """
    chance = random.Random(seed)  # noqa: S311  (nothing secret)
    deck: list[str] = []
    at_s = 1.0
    while at_s < seconds:
        if not deck:
            deck = list(kinds)
            chance.shuffle(deck)
        yield Fault(at_s, deck.pop(), chance.random(), chance.uniform(0.3, 2.0))
        at_s += every_s * chance.uniform(0.4, 1.6)
