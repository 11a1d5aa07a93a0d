"""Puppets."""

import numpy as np

from sector.models import LoggedOrder, SimConfig
from sector.models.frame import decode
from sector.models.rows import event_rows
from sector.world import SectorWorld

WORLD = SectorWorld()


def test_puppets_take_over_a_world_in_which_nobody_else_is() -> None:
    config = SimConfig(seed=2, systems=40, homes=4, puppets=("Crimson", "Azure"))
    position = WORLD.load(config, *WORLD.found(config))
    for _ in range(300):
        step = WORLD.advance(position, [])
        position = step.state
        if step.finished:
            break
    owned = (position.state.owner >= 0).sum()
    assert owned >= 38


def test_they_leave_free_homes_to_those_who_join() -> None:
    config = SimConfig(seed=2, systems=40, homes=4, puppets=("Crimson", "Azure"))
    position = WORLD.load(config, *WORLD.found(config))
    for _ in range(150):
        position = WORLD.advance(position, []).state
    neutral = np.flatnonzero(position.state.owner < 0)
    assert sorted(neutral) == sorted(position.state.galaxy.home[2:])
    step = WORLD.advance(position, [LoggedOrder("1-0", "me", False, b'{"type": "join", "faction": "Late"}')])
    joined = event_rows(decode(step.events))[0]
    assert (joined["order"], joined["system"]) == ("1-0", f"S{position.state.galaxy.home[2]}")


def test_a_puppets_orders_are_in_the_events_but_not_in_the_log() -> None:
    config = SimConfig(seed=2, systems=40, homes=4, puppets=("Crimson",))
    step = WORLD.advance(WORLD.load(config, *WORLD.found(config)), [])
    events = event_rows(decode(step.events))
    assert {event["type"] for event in events} >= {"system_claimed", "fleet_departed"}
    assert {event["order"] for event in events} == {None}


def test_a_world_without_puppets_stands_still() -> None:
    config = SimConfig(seed=2, systems=10, homes=2, puppets=())
    step = WORLD.advance(WORLD.load(config, *WORLD.found(config)), [])
    assert event_rows(decode(step.events)) == []
