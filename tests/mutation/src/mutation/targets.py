"""Which modules are mutated, and which tests judge them."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Target:
    """Modules of one package to mutate, and the tests of that package that may kill a mutant.

    `skipped_tests` are parts of test ids. These tests are slow, or run the code in other processes, which have no mutant.
    """

    name: str
    package: str
    modules: tuple[str, ...]
    test_files: tuple[str, ...]
    skipped_tests: tuple[str, ...] = ()

    def source(self, root: Path, module: str) -> Path:
        """Return the file of a module."""
        return root / "packages" / self.package / "src" / Path(*module.split(".")).with_suffix(".py")

    def tests(self, root: Path) -> list[Path]:
        """Return the files of the tests."""
        return [root / "packages" / self.package / "tests" / name for name in self.test_files]


STATE = Target(
    name="state",
    package="state",
    modules=(
        "sector.state.tick.transaction",
        "sector.state.tick.step_runner",
        "sector.state.tick.tick_commands",
        "sector.state.tick.lease",
        "sector.state.log.order_codec",
        "sector.state.log.order_log",
        "sector.state.tick.head",
        "sector.state.redis.durability",
        "sector.state.tick.head_state",
        "sector.state.history.event_codec",
        "sector.state.history.roll_forward",
    ),
    test_files=(
        "test_another_world.py",
        "test_admission.py",
        "test_durability.py",
        "test_export.py",
        "test_creation_and_reads.py",
        "test_sim_requests.py",
        "test_history.py",
        "test_interleavings.py",
        "test_lease.py",
        "test_order_log.py",
        "test_outcomes.py",
        "test_dead_letters_and_slow_ticks.py",
        "test_roll_forward.py",
        "test_state_at_head.py",
        "test_tick_report.py",
        "test_tick_transaction.py",
        "test_watched_keys.py",
    ),
    skipped_tests=("test_the_model_detects", "test_the_command"),
)

RULES = Target(
    name="rules",
    package="world",
    modules=(
        "sector.world.tick",
        "sector.world.orders",
        "sector.world.bulk",
        "sector.world.order_batch",
        "sector.world.mutable_state",
        "sector.world.growth",
        "sector.world.arrival",
        "sector.world.victory",
        "sector.world.puppets",
        "sector.world.state",
    ),
    test_files=(
        "test_against_reference.py",
        "test_arrival.py",
        "test_bulk.py",
        "test_puppet_orders.py",
        "test_puppets.py",
        "test_archive_replay.py",
        "test_rules.py",
    ),
    skipped_tests=("temperament_beats", "the_command"),
)

DELTAS = Target(
    name="deltas",
    package="world",
    modules=("sector.world.sector", "sector.world.delta"),
    test_files=(
        "test_deltas.py",
        "test_hostile_bytes.py",
        "test_maps.py",
        "test_older_versions.py",
        "test_puppets.py",
        "test_determinism.py",
        "test_archive_replay.py",
        "test_rules.py",
    ),
    skipped_tests=(
        "temperament_beats",
        "another_hash_seed",
        "atheris",
        "the_command",
        "arbitrary_header",
        "largest_map",
    ),
)

TARGETS = (STATE, RULES, DELTAS)
