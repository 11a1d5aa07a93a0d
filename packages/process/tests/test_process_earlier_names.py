"""Names of version 0.8 work, with a warning that states the new name."""

import pkgutil

import pytest

from fixtures.earlier_names import assert_module_moved, assert_renamed


@pytest.mark.parametrize(
    ("earlier", "now"),
    [
        ("connections.MAX_ADDRESS", "client_networks.MAX_ADDRESS"),
        ("connections.set_ipv6_prefix", "client_networks.set_ipv6_prefix"),
        ("deferred_metrics.count_soon", "deferred_metrics.defer_metric"),
        ("deferred_metrics.count_now", "deferred_metrics.flush_metrics"),
        ("fair_queue.Turns", "fair_queue.FairQueue"),
        ("fair_queue.TooManyTurns", "fair_queue.FairQueueFull"),
        ("rejected_requests.note", "rejected_requests.count_rejected_request"),
        ("rejected_requests.is_refused", "rejected_requests.is_rejected"),
        ("request_metrics.count", "request_metrics.observe_request"),
        ("request_metrics.count_answer", "request_metrics.observe_response"),
        ("metrics.Paced", "metrics.PacedText"),
        ("server.STOP_WITHIN_S", "server.STOP_TIMEOUT_S"),
        ("counting.count_now", "deferred_metrics.flush_metrics"),
        ("counting.count_soon", "deferred_metrics.defer_metric"),
        ("malformed.is_refused", "rejected_requests.is_rejected"),
        ("malformed.note", "rejected_requests.count_rejected_request"),
        ("process.STOP_WITHIN_S", "server.STOP_TIMEOUT_S"),
        ("process.Work", "app.Task"),
        ("process.attach", "app.attach"),
        ("process.create_app", "app.create_app"),
        ("process.sample", "app.sample"),
        ("requests.count", "request_metrics.observe_request"),
        ("requests.count_answer", "request_metrics.observe_response"),
        ("settings.load", "settings_loader.load"),
        ("settings.load_environment", "settings_loader.load_environment"),
        ("turns.TooManyTurns", "fair_queue.FairQueueFull"),
        ("turns.Turns", "fair_queue.FairQueue"),
    ],
)
def test_an_earlier_name_is_the_new_one(earlier: str, now: str) -> None:
    assert_renamed(f"sector.process.{earlier}", f"sector.process.{now}")


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
    assert_module_moved(f"sector.process.{earlier}", f"sector.process.{now}")


@pytest.mark.parametrize(
    "name",
    [
        "backoff.backoff",
        "connections.client_network",
        "garbage.keep_freed_memory",
        "process.App",
        "process.CONNECTIONS",
        "process.EXIT_FAILED",
        "process.idle_timeout_s",
        "process.run",
        "vitals.watch",
        "waiting.wait_for_stop",
    ],
)
def test_a_name_of_an_earlier_module_did_not_change(name: str) -> None:
    assert pkgutil.resolve_name(f"sector.process.{name}")
