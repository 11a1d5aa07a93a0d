"""Puppets."""

from sector.models import SimConfig
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
    assert owned > 36


def test_a_puppets_orders_are_in_the_events_but_not_in_the_log() -> None:
    config = SimConfig(seed=2, systems=40, homes=4, puppets=("Crimson",))
    step = WORLD.advance(WORLD.load(config, *WORLD.found(config)), [])
    assert {getattr(event, "type", "") for event in step.events} == {"system_claimed", "fleet_departed"}
    assert {getattr(event, "order", "") for event in step.events} == {None}


def test_a_world_without_puppets_stands_still() -> None:
    config = SimConfig(seed=2, systems=10, homes=2, puppets=())
    step = WORLD.advance(WORLD.load(config, *WORLD.found(config)), [])
    assert step.events == []
