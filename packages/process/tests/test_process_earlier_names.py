"""Names of version 0.8 work, with a warning that states the new name."""

import importlib
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "earlier", "now"),
    [
        ("deferred_metrics", "count_soon", "defer_metric"),
        ("deferred_metrics", "count_now", "flush_metrics"),
        ("fair_queue", "Turns", "FairQueue"),
        ("fair_queue", "TooManyTurns", "FairQueueFull"),
        ("rejected_requests", "note", "count_rejected_request"),
        ("rejected_requests", "is_refused", "is_rejected"),
        ("request_metrics", "count", "observe_request"),
        ("request_metrics", "count_answer", "observe_response"),
    ],
)
def test_an_earlier_name_is_the_new_one(module: str, earlier: str, now: str) -> None:
    name = f"sector.process.{module}"
    with pytest.warns(DeprecationWarning, match=rf"{name}\.{earlier} is now {name}\.{now}$"):
        assert getattr(importlib.import_module(name), earlier) is getattr(importlib.import_module(name), now)


@pytest.mark.parametrize(
    ("earlier", "now"),
    [
        ("backoff", "retry"),
        ("counting", "deferred_metrics"),
        ("garbage", "memory"),
        ("malformed", "rejected_requests"),
        ("process", "server"),
        ("requests", "request_metrics"),
        ("turns", "fair_queue"),
        ("vitals", "process_metrics"),
        ("waiting", "retry"),
    ],
)
def test_an_earlier_module_is_the_new_one(earlier: str, now: str) -> None:
    sys.modules.pop(f"sector.process.{earlier}", None)
    with pytest.warns(DeprecationWarning, match=rf"sector\.process\.{earlier} is now sector\.process\.{now}$"):
        module = importlib.import_module(f"sector.process.{earlier}")
    assert module is importlib.import_module(f"sector.process.{now}")
