"""Modules of version 0.6 can be imported, with a warning that states the new name."""

import importlib
import sys

import pytest

from fixtures.processes import run_module


@pytest.mark.parametrize(
    ("earlier", "now"),
    [
        ("charted", "map_conversion"),
        ("draft", "mutable_state"),
        ("drawing", "map_svg"),
        ("intake", "order_batch"),
        ("naming", "system_names"),
    ],
)
def test_an_earlier_module_is_the_new_one(earlier: str, now: str) -> None:
    sys.modules.pop(f"sector.world.{earlier}", None)
    with pytest.warns(DeprecationWarning, match=rf"sector\.world\.{earlier} is now sector\.world\.{now}$"):
        module = importlib.import_module(f"sector.world.{earlier}")
    assert module is importlib.import_module(f"sector.world.{now}")


def test_the_earlier_map_command_states_its_new_name() -> None:
    done = run_module("sector.world.charts", "make", "--systems", "2", "--homes", "1")
    assert done.returncode == 0
    assert done.stdout == run_module("sector.world.maps", "make", "--systems", "2", "--homes", "1").stdout
    assert done.stderr == "charts: `python -m sector.world.charts` is now `python -m sector.world.maps`\n"
