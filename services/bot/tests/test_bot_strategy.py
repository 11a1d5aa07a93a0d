"""The strategy of the bot: single situations, and a whole game under the real rules."""

from redis.asyncio import Redis

from fixtures.sim import CONFIG, Sim
from sector.bot.strategy import MIN_GARRISON, choose_orders
from sector.models import AddFleet, Join, MoveFleet, SetOwner, Snapshot
from sector.models.snapshot import Faction, Fleet, Home, Lane, System


def line(
    *owned: tuple[str | None, int], supply: int = 0, fleets: tuple[Fleet, ...] = (), homes: tuple[str, ...] = ()
) -> Snapshot:
    """Return systems S0, S1, … in a row, three ticks apart, each with its owner and ships."""
    names = {owner for owner, _ in owned if owner} | {"Me"}
    return Snapshot(
        sim="default",
        tick=5,
        at_ms=0,
        status="running",
        winner=None,
        state_hash="",
        factions=tuple(Faction(id=n, colour="#fff", supply=supply, puppet=False, alive=True) for n in sorted(names)),
        systems=tuple(
            System(id=f"S{n}", name=f"N{n}", x=n, y=0, growth=1, supply_yield=1, owner=owner, ships=ships)
            for n, (owner, ships) in enumerate(owned)
        ),
        fleets=fleets,
        lanes=tuple(Lane(a=f"S{n}", b=f"S{n + 1}", length=3) for n in range(len(owned) - 1)),
        homes=tuple(Home(system=system) for system in homes),
    )


def fleet(owner: str, target: str, ships: int) -> Fleet:
    return Fleet(id="F1", owner=owner, origin="S0", target=target, ships=ships, departed=4, arrives=7)


def test_the_bot_joins_first() -> None:
    assert choose_orders(line((None, 9)).model_copy(update={"factions": ()}), "Me", 3) == [Join(faction="Me")]


def test_the_bot_claims_the_cheapest_neutral_neighbour() -> None:
    orders = choose_orders(line((None, 40), ("Me", 99), (None, 12), supply=500), "Me", 3)
    assert SetOwner(faction="Me", system="S2") in orders
    assert not any(isinstance(order, SetOwner) and order.system == "S0" for order in orders)


def test_the_bot_claims_no_free_home() -> None:
    assert choose_orders(line(("Me", 999), (None, 12), supply=500, homes=("S0", "S1")), "Me", 3) == []


def test_the_bot_claims_only_what_it_can_pay() -> None:
    orders = choose_orders(line(("Me", 99), (None, 30), supply=10), "Me", 3)
    assert not any(isinstance(order, SetOwner) for order in orders)


def test_border_systems_keep_a_garrison() -> None:
    muster, *_ = choose_orders(line(("Me", 2), ("Foe", 1), supply=400), "Me", 3)
    assert muster == AddFleet(faction="Me", system="S0", ships=MIN_GARRISON - 2)


def test_the_bot_musters_against_inbound_fleets() -> None:
    situation = line(("Me", 20), ("Foe", 1), supply=400, fleets=(fleet("Foe", "S0", 60),))
    assert choose_orders(situation, "Me", 1) == [AddFleet(faction="Me", system="S0", ships=40)]


def test_the_bot_attacks_with_as_many_ships_as_it_needs() -> None:
    orders = choose_orders(line(("Me", 200), ("Foe", 10), supply=0), "Me", 3)
    (strike,) = (order for order in orders if isinstance(order, MoveFleet))
    assert (strike.system, strike.target) == ("S0", "S1")
    assert 10 + 3 < strike.ships <= 200 - MIN_GARRISON


def test_the_bot_does_not_attack_a_stronger_system() -> None:
    assert not any(isinstance(order, MoveFleet) for order in choose_orders(line(("Me", 50), ("Foe", 90)), "Me", 3))


def test_idle_ships_move_to_the_border() -> None:
    orders = choose_orders(line(("Me", 300), ("Me", 20), ("Foe", 20)), "Me", 3)
    assert MoveFleet(faction="Me", system="S0", target="S1", ships=300 - MIN_GARRISON) in orders


def test_orders_are_limited_and_end_with_the_faction_or_the_sim() -> None:
    busy = line(("Me", 2), ("Me", 500), ("Foe", 5), (None, 3), supply=900)
    assert len(choose_orders(busy, "Me", 1)) == 1
    assert choose_orders(busy.model_copy(update={"status": "finished"}), "Me", 3) == []
    out = tuple(faction.model_copy(update={"alive": False}) for faction in busy.factions)
    assert choose_orders(busy.model_copy(update={"factions": out}), "Me", 3) == []


async def test_in_a_real_world_the_bot_grows_with_valid_orders(redis: Redis) -> None:
    sim = await Sim.create(redis, CONFIG.model_copy(update={"keyframe_interval": 500}))  # nothing is trimmed
    given = 0
    for _ in range(120):
        snapshot = Snapshot.model_validate((await sim.reader.view()).rows(), strict=False)
        orders = choose_orders(snapshot, "Me", 3)
        given += len(orders)
        await sim.tick(*orders)
    events = (await sim.reader.events((0, 0), 100_000)).events
    types = {event["type"] for event in events if event.get("order") is not None}
    assert {"system_claimed", "ships_mustered", "fleet_departed"} <= types
    # Fleets of others may arrive between the read and the order. All other orders are valid.
    rejected = [event for event in events if event["type"] == "order_rejected"]
    assert len(rejected) <= given // 10, rejected
    final = Snapshot.model_validate((await sim.reader.view()).rows(), strict=False)
    assert [system.owner for system in final.systems].count("Me") >= 4
