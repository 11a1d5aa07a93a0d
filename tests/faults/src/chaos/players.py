"""The players of a trial: they send as many orders as the API accepts, and record the responses.

A player does not wait for results: `checker.py` finds each acknowledged order in the log afterwards. The users of a soak run
(`soak/users.py`) wait for the result of each order and measure the latency instead, so the two modules share only `clients.py`.
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
_PAUSE_S = 0.03
_RETRY_TIMEOUT_S = 1.0


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """An order that was acknowledged with 202. `text` is that of a note, or empty."""

    order_id: str
    text: str


@dataclass(slots=True)
class PlayerResult:
    """What one player submitted. `unknown`: orders without a response until the end. They may be in the log."""

    acknowledged: list[Acknowledged] = field(default_factory=list)
    unknown: int = 0
    wrong: list[str] = field(default_factory=list)


async def play(api: Callable[[], str | None], seed: int, stop: asyncio.Event) -> PlayerResult:
    """Submit orders until `stop`. `api` returns the current URL of the API. A request without a response is retried with its key."""
    chance, result, number = random.Random(seed), PlayerResult(), 0  # noqa: S311  (nothing secret)
    clients = Clients(api, patience_s=_RETRY_TIMEOUT_S)
    while not stop.is_set():
        orders = [_order(chance, number + each) for each in range(1 if chance.random() < 0.7 else 5)]
        number += len(orders)
        await _submit(clients, orders, f"{seed}-{number}", result, stop)
        await asyncio.sleep(_PAUSE_S)
    await clients.close()
    return result


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


async def _submit(clients: Clients, orders: list[Order], key: str, result: PlayerResult, stop: asyncio.Event) -> None:
    """Submit orders until they are acknowledged, or until `stop`."""
    while not stop.is_set():
        client = clients.now()
        if client is None:
            await asyncio.sleep(_PAUSE_S)
            continue
        try:
            responses: list[str | RequestRejected] = (
                [await client.order(orders[0], key=key)] if len(orders) == 1 else await client.orders(orders, key=key)
            )
        except Unavailable:
            continue
        except RequestRejected as refused:
            result.wrong.append(f"{orders} was answered with {refused}")
            return
        for order, response in zip(orders, responses, strict=True):
            if isinstance(response, str):
                result.acknowledged.append(Acknowledged(response, order.text if isinstance(order, Note) else ""))
            else:
                result.wrong.append(f"{order} was answered with {response}")
        return
    result.unknown += len(orders)
