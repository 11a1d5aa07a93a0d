"""Names of version 0.6 work, with a warning that states the new name."""

import pytest

from fixtures.earlier_names import assert_module_moved, assert_renamed
from fixtures.processes import run_module
from sector.models import SimConfig
from sector.world import SectorWorld


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


@pytest.mark.filterwarnings("ignore:SectorWorld.found is now create:DeprecationWarning")
def test_a_world_that_overrides_the_earlier_method_is_created_by_it() -> None:
    def create_mirrored(self: SectorWorld, config: SimConfig) -> tuple[bytes, bytes]:
        galaxy, snapshot = SectorWorld.found(self, config)
        return snapshot, galaxy

    with pytest.warns(DeprecationWarning, match=r"Mirrored\.found is now create$"):
        mirrored_world: type[SectorWorld] = type("Mirrored", (SectorWorld,), {"found": create_mirrored})

    class Counted(mirrored_world):  # type: ignore[valid-type,misc]  # it is made by a call
        calls = 0

        def create(self, config: SimConfig) -> tuple[bytes, bytes]:
            self.calls += 1
            created: tuple[bytes, bytes] = super().create(config)
            return created

    config, counted = SimConfig(systems=24, seed=7), Counted()
    mirrored = SectorWorld().create(config)[::-1]
    assert mirrored_world().create(config) == mirrored
    assert counted.create(config) == mirrored
    assert counted.calls == 1


def test_the_earlier_method_calls_an_override_of_the_new_one() -> None:
    class Fixed(SectorWorld):
        def create(self, config: SimConfig) -> tuple[bytes, bytes]:
            return b"map", b"snapshot"

    with pytest.warns(DeprecationWarning, match=r"SectorWorld\.found is now create$"):
        assert Fixed().found(SimConfig()) == (b"map", b"snapshot")


def test_a_subclass_with_both_names_and_class_keywords_has_its_new_method() -> None:
    class Tagged:
        def __init_subclass__(cls, *, tag: str = "", **kwargs: object) -> None:
            super().__init_subclass__(**kwargs)
            cls.tag = tag

        tag = ""

    def call_base(self: SectorWorld, config: SimConfig) -> tuple[bytes, bytes]:
        return SectorWorld.found(self, config)

    methods = {"create": lambda _, config: (b"map", b"snapshot"), "found": call_base}
    both = type("Both", (SectorWorld, Tagged), methods, tag="both")
    assert vars(both)["tag"] == "both"
    with pytest.warns(DeprecationWarning, match=r"SectorWorld\.found is now create$"):
        assert call_base(both(), SimConfig()) == (b"map", b"snapshot")
