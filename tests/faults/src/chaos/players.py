"""A player: gives orders over HTTP, one after another, and keeps what it was told of each."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from chaos.stage import FACTIONS

_SYSTEMS = 24
_THINKS_S = 0.03


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """An order that was answered with 202. `text` is that of a note, or empty."""

    order_id: str
    text: str


@dataclass(slots=True)
class Given:
    """What one player gave. `refused`: answered with 503; `unknown`: not answered; both may be in the log nevertheless."""

    acknowledged: list[Acknowledged] = field(default_factory=list)
    refused: int = 0
    unknown: int = 0
    wrong: list[str] = field(default_factory=list)


async def play(api: Callable[[], str | None], seed: int, stop: asyncio.Event) -> Given:
    """Give orders until `stop`. `api` returns where the API is at the moment. No order is given twice."""
    chance, given, number = random.Random(seed), Given(), 0  # noqa: S311  (nothing secret)
    async with httpx.AsyncClient(timeout=5) as client:
        while not stop.is_set():
            orders = [_order(chance, number + each) for each in range(1 if chance.random() < 0.7 else 5)]
            number += len(orders)
            url = api()
            if url is not None:
                await _give(client, url, orders, given)
            await asyncio.sleep(_THINKS_S)
    return given


def _order(chance: random.Random, number: int) -> dict[str, object]:
    """Return an order, valid as such; half of those that are no notes break a rule when their turn comes."""
    system, target = (f"S{chance.randrange(_SYSTEMS)}" for _ in range(2))
    faction = chance.choice(FACTIONS)
    match chance.randrange(6):
        case 0:
            return {"type": "add_fleet", "faction": faction, "system": system, "ships": chance.randint(1, 3)}
        case 1:
            return {"type": "set_owner", "faction": faction, "system": system}
        case 2:
            return {"type": "move_fleet", "faction": faction, "system": system, "target": target, "ships": 1}
        case _:
            return {"type": "note", "faction": faction, "text": str(number)}


async def _give(client: httpx.AsyncClient, url: str, orders: list[dict[str, object]], given: Given) -> None:
    body = orders[0] if len(orders) == 1 else orders
    try:
        answer = await client.post(f"{url}/orders", json=body)
    except httpx.TransportError:
        given.unknown += len(orders)
        return
    match answer.status_code:
        case 202:
            answers = [answer.json()]
        case 207:
            answers = answer.json()["results"]
        case 503:
            given.refused += len(orders)
            return
        case _:
            given.wrong.append(f"{orders} was answered with {answer.status_code}: {answer.text}")
            return
    for order, said in zip(orders, answers, strict=True):
        if "id" in said:
            given.acknowledged.append(Acknowledged(said["id"], str(order.get("text", ""))))
        else:
            given.wrong.append(f"{order} was answered with {said}")
