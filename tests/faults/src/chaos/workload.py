"""The workload: players that send orders over HTTP, one after another, and record the responses.

A player retries requests without a response under the same idempotency key, so the order is in the log once.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from chaos.clients import Clients
from chaos.system import FACTIONS
from sector.client import RequestRejected, Unavailable
from sector.models import AddFleet, MoveFleet, Note, Order, SetOwner

_SYSTEMS = 24
_THINKS_S = 0.03
_PATIENCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """An order that was acknowledged with 202. `text` is that of a note, or empty."""

    order_id: str
    text: str


@dataclass(slots=True)
class PlayerResult:
    """The orders of one player. `unknown`: never acknowledged, but possibly in the log."""

    acknowledged: list[Acknowledged] = field(default_factory=list)
    unknown: int = 0
    wrong: list[str] = field(default_factory=list)


async def play(api: Callable[[], str | None], seed: int, stop: asyncio.Event) -> PlayerResult:
    """Send orders until `stop`. `api` returns the current URL. An order without a response is retried with its key."""
    chance, given, number = random.Random(seed), PlayerResult(), 0  # noqa: S311  (nothing secret)
    clients = Clients(api, patience_s=_PATIENCE_S)
    while not stop.is_set():
        orders = [_order(chance, number + each) for each in range(1 if chance.random() < 0.7 else 5)]
        number += len(orders)
        await _give(clients, orders, f"{seed}-{number}", given, stop)
        await asyncio.sleep(_THINKS_S)
    await clients.close()
    return given


def _order(chance: random.Random, number: int) -> Order:
    """Return an order of a valid form. Half of the orders that are not notes break a rule when they are applied."""
    system, target = (f"S{chance.randrange(_SYSTEMS)}" for _ in range(2))
    faction = chance.choice(FACTIONS)
    match chance.randrange(6):
        case 0:
            return AddFleet(faction=faction, system=system, ships=chance.randint(1, 3))
        case 1:
            return SetOwner(faction=faction, system=system)
        case 2:
            return MoveFleet(faction=faction, system=system, target=target, ships=1)
        case _:
            return Note(faction=faction, text=str(number))


async def _give(clients: Clients, orders: list[Order], key: str, given: PlayerResult, stop: asyncio.Event) -> None:
    """Send orders until they are acknowledged, or the time is over."""
    while not stop.is_set():
        client = clients.now()
        if client is None:
            await asyncio.sleep(_THINKS_S)
            continue
        try:
            answers: list[str | RequestRejected] = (
                [await client.order(orders[0], key=key)] if len(orders) == 1 else await client.orders(orders, key=key)
            )
        except Unavailable:
            continue
        except RequestRejected as refused:
            given.wrong.append(f"{orders} was answered with {refused}")
            return
        for order, answer in zip(orders, answers, strict=True):
            if isinstance(answer, str):
                given.acknowledged.append(Acknowledged(answer, order.text if isinstance(order, Note) else ""))
            else:
                given.wrong.append(f"{order} was answered with {answer}")
        return
    given.unknown += len(orders)
