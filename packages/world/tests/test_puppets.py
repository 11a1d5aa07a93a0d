"""Puppets: what they claim, muster, attack and defend."""

from copy import replace
from typing import get_args

import numpy as np
import pytest
from boards import BLUE, NO_OWNER, RED, advance_ticks, make_board
from random_player import RandomPlayer

from fixtures.long import max_examples
from sector.models import LoggedOrder, MoveFleet, Puppet, SetOwner, SimConfig
from sector.models.config import Temperament
from sector.models.events import FleetDeparted, ShipsMustered, SystemClaimed
from sector.models.frame import decode
from sector.models.rows import event_rows
from sector.puppet.temperament import TEMPERAMENTS as CHARACTERS
from sector.world import SectorWorld, bulk, puppets
from sector.world.sector import initial_state
from sector.world.state import FLEET_DTYPES, Fleets, WorldState
from sector.world.tick import advance

WORLD = SectorWorld()


def test_puppets_conquer_a_world_without_players() -> None:
    config = SimConfig(seed=2, systems=40, homes=4, puppets=(Puppet(faction="Crimson"), Puppet(faction="Azure")))
    position = WORLD.load(config, *WORLD.create(config))
    for _ in range(300):
        step = WORLD.advance(position, [])
        position = step.state
        if step.finished:
            break
    owned = (position.state.owner >= 0).sum()
    assert owned >= 38


def test_puppets_leave_free_homes_to_factions_that_join() -> None:
    config = SimConfig(seed=2, systems=40, homes=4, puppets=(Puppet(faction="Crimson"), Puppet(faction="Azure")))
    position = WORLD.load(config, *WORLD.create(config))
    for _ in range(150):
        position = WORLD.advance(position, []).state
    neutral = np.flatnonzero(position.state.owner < 0)
    assert sorted(neutral) == sorted(position.state.galaxy.home[2:])
    step = WORLD.advance(position, [LoggedOrder("1-0", "me", False, b'{"type": "join", "faction": "Late"}')])
    joined = event_rows(decode(step.events))[0]
    assert (joined["order"], joined["system"]) == ("1-0", f"S{position.state.galaxy.home[2]}")


def test_the_orders_of_a_puppet_have_events_but_are_not_in_the_log() -> None:
    config = SimConfig(seed=2, systems=40, homes=4, puppets=(Puppet(faction="Crimson"),))
    step = WORLD.advance(WORLD.load(config, *WORLD.create(config)), [])
    events = event_rows(decode(step.events))
    assert {event["type"] for event in events} >= {"system_claimed", "fleet_departed"}
    assert {event["order"] for event in events} == {None}


def test_a_world_without_puppets_does_not_change() -> None:
    config = SimConfig(seed=2, systems=10, homes=2, puppets=())
    step = WORLD.advance(WORLD.load(config, *WORLD.create(config)), [])
    assert event_rows(decode(step.events)) == []


TEMPERAMENTS = get_args(Temperament)


@pytest.mark.parametrize("temperament", TEMPERAMENTS)
def test_every_temperament_beats_a_random_player(temperament: Temperament) -> None:
    lost: list[int] = []
    games = max_examples(100)
    for seed in range(games):
        puppet = Puppet(faction="Puppet", temperament=temperament)
        config = SimConfig(seed=seed, systems=24, homes=2, players=("Random",), puppets=(puppet,), max_ticks=200)
        state, player = initial_state(config), RandomPlayer("Random", seed)
        while state.status == "running":
            state = advance(state, player.orders(state)).state
        if state.winner != state.factions.ids.index("Puppet"):
            lost.append(seed)
    assert len(lost) <= games / 20


def test_every_temperament_has_parameters() -> None:
    assert set(TEMPERAMENTS) == set(CHARACTERS)


def _row_of_puppets(*systems: tuple[int, int], supply: int) -> WorldState:
    """Return a board on which Red is a puppet that plans in the next tick, and Blue is not a puppet."""
    board = make_board(*systems, puppets=(Puppet(faction="Red"),), supply=supply)
    home = np.array([0, len(systems) - 1], np.int32)
    factions = replace(board.factions, puppet=np.array([True, False]), home=home)
    return replace(board, factions=factions, galaxy=replace(board.galaxy, home=home))


def test_a_puppet_attacks_where_it_can_win() -> None:
    _, events = advance_ticks(_row_of_puppets((RED, 60), (BLUE, 9), (BLUE, 5), supply=0))
    departed = [event for event in events if isinstance(event, FleetDeparted)]
    assert [(event.system, event.target) for event in departed] == [("S0", "S1")]
    assert 9 + 3 < departed[0].ships <= 60  # the garrison and its growth until the arrival


def test_a_puppet_whose_systems_have_no_lanes_sends_no_ships() -> None:
    board = _row_of_puppets((RED, 60), (BLUE, 9), supply=100)
    none = board.galaxy.lane_a[:0]
    state, events = advance_ticks(
        replace(board, galaxy=replace(board.galaxy, lane_a=none, lane_b=none, lane_length=none)), ticks=5
    )
    assert events == []
    assert state.ships.tolist() == [60 + 5, 9 + 5]


@pytest.mark.parametrize("few", [0, 9])
def test_fleets_of_puppets_depart_after_those_of_the_orders(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk.apply_logged, "__defaults__", (few,))
    state, events = advance_ticks(
        _row_of_puppets((RED, 60), (BLUE, 9), (BLUE, 5), supply=0),
        MoveFleet(faction="Blue", system="S2", target="S1", ships=1),
    )
    departed = [event for event in events if isinstance(event, FleetDeparted)]
    assert [(event.fleet, event.faction, event.order) for event in departed] == [
        ("F0", "Blue", "1-0"),
        ("F1", "Red", None),
    ]
    assert (state.fleets.id.tolist(), state.fleets.owner.tolist(), state.next_fleet) == ([0, 1], [BLUE, RED], 2)


@pytest.mark.parametrize("few", [0, 9])
def test_puppets_send_no_fleet_beyond_the_maximum(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk.apply_logged, "__defaults__", (few,))
    board = _row_of_puppets((RED, 60), (BLUE, 9), (BLUE, 5), supply=0)
    move = MoveFleet(faction="Blue", system="S2", target="S1", ships=1)
    under_way = Fleets(
        *(np.array([n], dtype) for n, dtype in zip((0, BLUE, 2, 1, 1, 0, 9), FLEET_DTYPES.values(), strict=True))
    )
    board = replace(board, fleets=under_way, next_fleet=1)
    for most, owners in ((2, [BLUE, BLUE]), (3, [BLUE, BLUE, RED])):
        monkeypatch.setattr(puppets, "MAX_FLEETS", most)
        assert advance_ticks(board, move)[0].fleets.owner.tolist() == owners


def test_a_puppet_does_not_claim_a_system_that_an_order_claimed() -> None:
    board = _row_of_puppets((RED, 9), (NO_OWNER, 4), (BLUE, 200), supply=100)
    state, events = advance_ticks(board, SetOwner(faction="Blue", system="S1"))
    assert [(event.faction, event.system) for event in events if isinstance(event, SystemClaimed)] == [("Blue", "S1")]
    assert state.owner.tolist() == [RED, BLUE, BLUE]


def test_in_classic_a_puppet_neither_claims_nor_musters() -> None:
    board = _row_of_puppets((RED, 60), (NO_OWNER, 4), (BLUE, 5), supply=100)
    config = board.config.model_copy(
        update={"preset": "classic", "claim_base": 0, "claim_per_ship": 0, "muster_cost": 0}
    )
    _, events = advance_ticks(replace(board, config=config))
    assert {event.type for event in events} <= {"fleet_departed"}


def test_a_puppet_does_not_attack_where_it_cannot_win() -> None:
    _, events = advance_ticks(_row_of_puppets((RED, 20), (BLUE, 60), (BLUE, 5), supply=0))
    assert [event for event in events if isinstance(event, FleetDeparted)] == []


def test_a_puppet_saves_a_threatened_system_if_help_comes_in_time() -> None:
    board = _row_of_puppets((RED, 80), (RED, 5), (BLUE, 90), supply=0)
    threat = Fleets(
        *(np.array([n], dtype) for n, dtype in zip((0, 1, 2, 1, 20, 0, 3), FLEET_DTYPES.values(), strict=True))
    )
    _, events = advance_ticks(replace(board, fleets=threat, next_fleet=1))
    departed = [event for event in events if isinstance(event, FleetDeparted)]
    assert [(event.system, event.target) for event in departed] == [("S0", "S1")]
    state, _ = advance_ticks(replace(board, fleets=threat, next_fleet=1), ticks=3)
    assert state.owner[1] == RED


def test_interior_garrisons_move_to_the_front() -> None:
    _, events = advance_ticks(_row_of_puppets((RED, 50), (RED, 5), (RED, 5), (BLUE, 200), supply=0))
    departed = [event for event in events if isinstance(event, FleetDeparted)]
    assert [(event.system, event.target) for event in departed] == [("S0", "S1")]


def test_a_puppet_claims_first_and_musters_with_the_rest() -> None:
    state, events = advance_ticks(_row_of_puppets((RED, 9), (NO_OWNER, 4), (BLUE, 200), supply=100))
    claimed = [event for event in events if isinstance(event, SystemClaimed)]
    mustered = [event for event in events if isinstance(event, ShipsMustered)]
    assert [(event.system, event.order) for event in claimed] == [("S1", None)]
    assert [(event.system, event.ships) for event in mustered] == [("S0", (100 - 24) // 2)]
    assert state.factions.supply[0] == 100 - 24 - 76 + 4
