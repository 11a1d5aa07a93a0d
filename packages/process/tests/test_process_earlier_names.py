"""Names of version 0.8 work, with a warning that states the new name."""

import importlib
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "earlier", "now"),
    [
        ("deferred_metrics", "count_soon", "defer_metric"),
        ("deferred_metrics", "count_now", "flush_metrics"),
    ],
)
def test_an_earlier_name_is_the_new_one(module: str, earlier: str, now: str) -> None:
    name = f"sector.process.{module}"
    with pytest.warns(DeprecationWarning, match=rf"{name}\.{earlier} is now {name}\.{now}$"):
        assert getattr(importlib.import_module(name), earlier) is getattr(importlib.import_module(name), now)


@pytest.mark.parametrize(("earlier", "now"), [("counting", "deferred_metrics")])
def test_an_earlier_module_is_the_new_one(earlier: str, now: str) -> None:
    sys.modules.pop(f"sector.process.{earlier}", None)
    with pytest.warns(DeprecationWarning, match=rf"sector\.process\.{earlier} is now sector\.process\.{now}$"):
        module = importlib.import_module(f"sector.process.{earlier}")
    assert module is importlib.import_module(f"sector.process.{now}")
