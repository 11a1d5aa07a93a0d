"""The order log: a stream of accepted orders, oldest first. An order's id is its id in the stream."""

from collections.abc import Sequence

from redis.asyncio import Redis

from sector.models import LoggedOrder
from sector.state.connect import Reply, as_bytes, as_list, borrowed, checked
from sector.state.keys import SimKeys

SCOPE_ADMIN = "admin"
SCOPE_PLAYER = "player"


async def append(redis: Redis, sim_id: str, issuer: str, bodies: Sequence[bytes], *, admin: bool = False) -> list[str]:
    """Append orders to the log, all or none, in one round trip; returns their ids.

    Raises redis.exceptions.RedisError. Where the connection broke, they may be in the log nevertheless.
    """
    key, scope = SimKeys(sim_id).orders, SCOPE_ADMIN if admin else SCOPE_PLAYER
    adds = [("XADD", key, "*", "issuer", issuer, "scope", scope, "order", body) for body in bodies]
    async with borrowed(redis) as link:
        *_, ids = checked(await link.exchange(("MULTI",), *adds, ("EXEC",)))
    return [(as_bytes(order_id) or b"").decode() for order_id in as_list(ids)]


def parse_entries(reply: Reply) -> list[LoggedOrder]:
    """Return the orders in the answer to XRANGE. What an entry lacks is empty: the world rejects what it cannot read."""
    orders: list[LoggedOrder] = []
    for entry in as_list(reply):
        entry_id, flat = as_list(entry)
        parts = [as_bytes(part) or b"" for part in as_list(flat)]
        fields = dict(zip(parts[::2], parts[1::2], strict=True))
        orders.append(
            LoggedOrder(
                id=(as_bytes(entry_id) or b"").decode(),
                issuer=fields.get(b"issuer", b"").decode(errors="replace"),
                admin=fields.get(b"scope") == SCOPE_ADMIN.encode(),
                body=fields.get(b"order", b""),
            )
        )
    return orders
