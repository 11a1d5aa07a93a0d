"""The order log: appended orders, pending orders, and the parsing of entries."""

import pytest
from redis.asyncio import Redis

from fixtures.admission import append_orders
from fixtures.sim import Sim
from fixtures.stored_values import read_stream
from sector.models import Join, LoggedOrder, Note
from sector.state.errors import SimNotFound
from sector.state.keys import SimKeys
from sector.state.log import order_log
from sector.state.log.order_codec import DeadLetter, decode_orders
from sector.state.log.order_log import Pending

KEYS = SimKeys("default")
PLAIN = {b"issuer": b"me", b"scope": b"player", b"order": b"{}"}


@pytest.mark.parametrize(("admin", "scope"), [(False, b"player"), (True, b"admin")])
async def test_an_order_is_appended_with_its_issuer_and_scope(
    sim: Sim, redis: Redis, admin: bool, scope: bytes
) -> None:
    assert sim.lease.epoch == 1
    ids = await append_orders(redis, "default", "me", [b"one", b"two"], admin=admin)
    expected = [{b"issuer": b"me", b"scope": scope, b"order": body} for body in (b"one", b"two")]
    assert await read_stream(redis, KEYS.orders) == list(zip(ids, expected, strict=True))


async def test_pending_counts_the_orders_after_the_head(sim: Sim, redis: Redis) -> None:
    assert await order_log.load_pending(redis, "default") == Pending(0, None)
    first, *_ = await sim.order(Join(faction="Me"), Note(faction="Me", text="a"), Note(faction="Me", text="b"))
    assert await order_log.load_pending(redis, "default") == Pending(3, first)
    await sim.tick()
    assert await order_log.load_pending(redis, "default") == Pending(0, None)
    first, _ = await sim.order(Note(faction="Me", text="c"), Note(faction="Me", text="d"))
    assert await order_log.load_pending(redis, "default") == Pending(2, first)
    with pytest.raises(SimNotFound, match="sim 'nowhere' does not exist"):
        await order_log.load_pending(redis, "nowhere")


@pytest.mark.parametrize("applied", [None, 99])
async def test_an_unknown_count_is_at_least_one_pending_order(sim: Sim, redis: Redis, applied: int | None) -> None:
    ids = await sim.order(Join(faction="Me"), Note(faction="Me", text="a"))
    if applied is None:
        await redis.hdel(KEYS.head, "applied")
    else:
        await redis.hset(KEYS.head, "applied", applied)
    assert await order_log.load_pending(redis, "default") == Pending(1, ids[0])


def reply(order_id: str, fields: dict[bytes, bytes]) -> list[object]:
    """Return an entry in the form of a reply to XRANGE."""
    return [order_id.encode(), [part for pair in fields.items() for part in pair]]


def test_entries_are_parsed_as_orders() -> None:
    """In texts for people, bytes that are not UTF-8 are replaced."""
    given = [
        reply("1-0", PLAIN),
        reply("2-0", PLAIN | {b"scope": b"admin", b"trace": b"t", b"v": b"1"}),
        reply("3-0", PLAIN | {b"issuer": b"\xff", b"trace": b"\xff", b"order": b"\xff"}),
    ]
    assert decode_orders(given) == (  # type: ignore[arg-type]  # a list is invariant
        [
            LoggedOrder("1-0", "me", False, b"{}"),
            LoggedOrder("2-0", "me", True, b"{}", None, "t"),
            LoggedOrder("3-0", "\N{REPLACEMENT CHARACTER}", False, b"\xff", None, "\N{REPLACEMENT CHARACTER}"),
        ],
        [],
    )


LONG, SHORT = b"\xff" + 30 * b"9", "\N{REPLACEMENT CHARACTER}" + 19 * "9"


@pytest.mark.parametrize(
    ("fields", "issuer", "fault"),
    [
        ({}, "", "the entry is not an order: it lacks issuer, scope, order"),
        ({b"issuer": b"me", b"order": b"{}"}, "me", "the entry is not an order: it lacks scope"),
        (PLAIN | {b"scope": b"root"}, "me", "the entry is not an order: it has the invalid scope 'root'"),
        (PLAIN | {b"scope": LONG}, "me", f"the entry is not an order: it has the invalid scope '{SHORT}'"),
        (PLAIN | {b"v": b"2"}, "me", "the entry has version 2, and this worker reads version 1"),
        (PLAIN | {b"v": LONG}, "me", f"the entry has version {SHORT}, and this worker reads version 1"),
        (PLAIN | {b"scope": b"admin", b"fault": b"\xffbefore"}, "me", "\N{REPLACEMENT CHARACTER}before"),
        ({b"issuer": b"me", b"fault": b""}, "me", ""),
    ],
)
def test_an_invalid_entry_is_an_order_with_a_fault_and_no_body(
    fields: dict[bytes, bytes], issuer: str, fault: str
) -> None:
    read, poison = decode_orders([reply("1-0", fields)])  # type: ignore[list-item]  # a list is invariant
    assert read == [LoggedOrder("1-0", issuer, False, b"", fault)]
    assert poison == [DeadLetter("1-0", fields, fault)]


def test_dead_letters_have_their_fields_and_the_oldest_is_dropped() -> None:
    poison = DeadLetter("1-0", {b"hello": b"world"}, "why")
    expected = ("XADD", KEYS.dead_letters, "MAXLEN", "~", 1000, "*", "entry", "1-0", "fault", "why", b"hello", b"world")
    assert poison.store_command(KEYS) == expected
