"""Names of version 0.6 work, with a warning that states the new name."""

import pytest

from fixtures.earlier_names import assert_module_moved, assert_renamed
from fixtures.processes import run_module


@pytest.mark.parametrize(
    ("earlier", "now"),
    [
        ("world.charted.chart", "world.map_conversion.galaxy_from_map"),
        ("world.charted.map_file", "world.map_conversion.map_from_galaxy"),
        ("world.draft.Draft", "world.mutable_state.MutableState"),
        ("world.draft.draft_of", "world.mutable_state.MutableState.from_state"),
        ("world.drawing.drawing", "world.map_svg.render_svg"),
        ("world.intake.Plain", "world.order_batch.OrderBatch"),
        ("world.intake.Read", "world.order_batch.ParsedOrder"),
        ("world.intake.parse", "world.order_batch.parse_order"),
        ("world.intake.read", "world.order_batch.decode_orders"),
        ("world.naming.names", "world.system_names.generate_names"),
        ("world.replay.Replayed", "world.replay.ReplayProgress"),
        ("world.sector.founded", "world.sector.initial_state"),
        ("world.state.joined", "world.state.concat_fleets"),
        ("world.victory.Verdict", "world.victory.VictoryCheck"),
        ("puppet.Plan", "puppet.PuppetOrders"),
        ("puppet.View", "puppet.PuppetView"),
        ("puppet.plan", "puppet.plan_orders"),
        ("puppet.spending.Claims", "puppet.spending.ClaimPlan"),
        ("puppet.spending.claims", "puppet.spending.plan_claims"),
        ("puppet.spending.musters", "puppet.spending.plan_musters"),
        ("puppet.strategy.plan", "puppet.strategy.plan_orders"),
        ("puppet.view.Plan", "puppet.view.PuppetOrders"),
        ("puppet.view.View", "puppet.view.PuppetView"),
    ],
)
def test_an_earlier_name_is_the_new_one(earlier: str, now: str) -> None:
    assert_renamed(f"sector.{earlier}", f"sector.{now}")


@pytest.mark.parametrize(
    ("earlier", "now"),
    [
        ("world.charted", "world.map_conversion"),
        ("world.draft", "world.mutable_state"),
        ("world.drawing", "world.map_svg"),
        ("world.intake", "world.order_batch"),
        ("world.naming", "world.system_names"),
    ],
)
def test_an_earlier_module_is_the_new_one(earlier: str, now: str) -> None:
    assert_module_moved(f"sector.{earlier}", f"sector.{now}")


def test_the_earlier_map_command_states_its_new_name() -> None:
    done = run_module("sector.world.charts", "make", "--systems", "2", "--homes", "1")
    assert done.returncode == 0
    assert done.stdout == run_module("sector.world.maps", "make", "--systems", "2", "--homes", "1").stdout
    assert done.stderr == "charts: `python -m sector.world.charts` is now `python -m sector.world.maps`\n"
