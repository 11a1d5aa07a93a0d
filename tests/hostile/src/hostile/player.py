"""A player: a client with a valid token for one faction, who sends what no player needs."""

import itertools
from collections.abc import Awaitable, Callable

import httpx
import orjson

from hostile.attempt import Attempt, TargetWorld
from hostile.stranger import repeated

_FOR_S = 4.0
_NOTE = {"type": "note", "faction": "Azure", "text": "hello"}


def _orders(
    body: bytes, *, keys: bool = False, clients: int = 4, largest: int = 300_000
) -> Callable[[TargetWorld], Awaitable[None]]:
    """Send this body again and again, each time with a new idempotency key."""
    numbers = itertools.count()

    async def act(target: TargetWorld) -> None:
        headers = {"Authorization": f"Bearer {target.token('Azure', sub='attacker')}"}

        async def send(client: httpx.AsyncClient) -> None:
            more = {"Idempotency-Key": f"{'k' * 240}{next(numbers)}"} if keys else {}
            response = await client.post(f"{target.api.url}/orders", content=body, headers=headers | more)
            assert response.status_code in (202, 207, 422, 429), response.text[:200]
            assert len(response.content) < largest

        await repeated(_FOR_S, clients, send)

    return act


_UNKNOWN = {f"k{number}": 1 for number in range(47_000)}

ATTEMPTS = (
    Attempt(
        "a valid note and one with 47,000 unknown fields, with an idempotency key",
        _orders(orjson.dumps([_NOTE, _NOTE | _UNKNOWN]), keys=True),
    ),
    Attempt(
        "a thousand notes of which half are invalid, with a key", _orders(orjson.dumps([_NOTE, 7] * 500), keys=True)
    ),
    Attempt("a thousand empty orders", _orders(orjson.dumps([{}] * 1_000), keys=True)),
    Attempt("a list of 300,000 lists", _orders(orjson.dumps([[]] * 300_000))),
    Attempt("a note whose text is a list of 300,000 objects", _orders(orjson.dumps(_NOTE | {"text": [{}] * 300_000}))),
    Attempt("an order whose field has a name of 900,000 letters", _orders(orjson.dumps(_NOTE | {"k" * 900_000: 1}))),
    Attempt("notes of 280 emoji", _orders(orjson.dumps([_NOTE | {"text": "\U0001f600" * 280}] * 500)), 32 * 2**20),
    Attempt("notes with keys of 255 letters", _orders(orjson.dumps(_NOTE), keys=True, clients=8), 16 * 2**20),
    Attempt(
        "orders for systems that do not exist",
        _orders(
            orjson.dumps(
                [{"type": "add_fleet", "faction": "Azure", "system": f"S{10**8 + n}", "ships": 1} for n in range(1_000)]
            )
        ),
    ),
)
