"""Names of earlier versions work, with a warning that states the new name."""

import importlib
import pkgutil
import sys

import pytest


@pytest.mark.parametrize(
    ("earlier", "now"),
    [
        ("errors.TooFast", "RateLimited"),
        ("errors.TooFarBehind", "QueueFull"),
        ("errors.KeyReused", "IdempotencyConflict"),
        ("log.admission.Gate", "AdmissionPolicy"),
        ("log.admission.Verdict", "AdmissionResult"),
        ("sims.requests.Wish", "SimRequest"),
        ("sims.requests.ask", "request_sim"),
        ("sims.requests.asked", "get_request"),
        ("sims.requests.carry_out", "reconcile"),
        ("history.history.Kept", "HistoryRange"),
        ("history.history.kept", "get_range"),
        ("redis.connection.borrowed", "acquire_connection"),
        ("sims.lifecycle.read_founding", "load_manifest"),
        ("sims.lifecycle.begin_with", "initial_commands"),
        ("tick.transaction.Took", "PhaseDurations"),
        ("tick.transaction.Tick", "CommittedTick"),
        ("tick.head_state.Lag", "SnapshotBacklog"),
        ("tick.head_state.Written", "StoredHead"),
        ("tick.head_state.written", "load_head_state"),
        ("history.roll_forward.Past", "StateAtTick"),
        ("history.roll_forward.past_in", "state_at_snapshot"),
        ("history.roll_forward.hold_to_its_delta", "verify_delta"),
        ("watch.sim_watcher.Heard", "TickListener"),
        ("watch.sim_watcher.Followed", "SimWatcher"),
        ("watch.reader.View", "SimView"),
        ("watch.reader.Page", "EventBatch"),
        ("watch.reader.Wanted", "EventFilter"),
        ("watch.reader.tick_events", "decode_tick"),
        ("log.order_log.read_entries", "decode_orders"),
        ("errors.SimFinished", "SimAlreadyFinished"),
        ("log.order_log.Poison", "DeadLetter"),
        ("log.order_log.logged", "count_entries"),
        ("log.order_log.pending", "load_pending"),
        ("redis.connection.Link", "Connection"),
        ("redis.connection.call", "execute"),
        ("redis.connection.strings", "mget"),
        ("redis.group_commit.MOST_ORDERS", "MAX_GROUP_ORDERS"),
        ("redis.health.Note", "UpdateCondition"),
        ("sims.lifecycle.found", "create"),
        ("sims.lifecycle.listed", "list_ids"),
        ("sims.lifecycle.heads", "load_heads"),
        ("sims.lifecycle.remove", "delete"),
        ("tick.head_state.MOST_TICKS", "MAX_SNAPSHOT_AGE_TICKS"),
        ("tick.membership.sign", "heartbeat"),
        ("tick.membership.leave", "deregister"),
    ],
)
def test_an_earlier_name_is_the_new_one(earlier: str, now: str) -> None:
    name, _, attribute = earlier.rpartition(".")
    module = importlib.import_module(f"sector.state.{name}")
    with pytest.warns(DeprecationWarning, match=rf"sector\.state\.{earlier} is now sector\.state\.{name}\.{now}$"):
        assert getattr(module, attribute) is getattr(module, now)


@pytest.mark.parametrize(
    ("earlier", "now"),
    [
        ("link", "redis.connection"),
        ("ticker", "tick.transaction"),
        ("orders", "log.order_log"),
        ("reader", "watch.reader"),
    ],
)
def test_an_earlier_module_is_the_new_one(earlier: str, now: str) -> None:
    sys.modules.pop(f"sector.state.{earlier}", None)
    with pytest.warns(DeprecationWarning, match=rf"sector\.state\.{earlier} is now sector\.state\.{now}$"):
        module = importlib.import_module(f"sector.state.{earlier}")
    assert module is importlib.import_module(f"sector.state.{now}")
    assert module.__spec__ is not None
    assert module.__spec__.name == f"sector.state.{now}"


@pytest.mark.parametrize(
    ("earlier", "now"),
    [
        ("link.Link", "redis.connection.Connection"),
        ("link.Packed", "redis.command_encoding.EncodedCommand"),
        ("link.packed", "redis.command_encoding.encode_commands"),
        ("orders.Poison", "log.order_log.DeadLetter"),
        ("orders.SCOPE_ADMIN", "log.order_codec.SCOPE_ADMIN"),
        ("orders.SCOPE_PLAYER", "log.order_codec.SCOPE_PLAYER"),
        ("orders.VERSION", "log.order_codec.VERSION"),
        ("round_trips.failed", "redis.round_trips.count_error"),
        ("round_trips.took", "redis.round_trips.observe_latency"),
    ],
)
def test_a_name_works_under_its_earlier_module(earlier: str, now: str) -> None:
    module, _, name = earlier.rpartition(".")
    with pytest.warns(DeprecationWarning, match=rf"\.{name} is now sector\.state\.{now}$"):
        attribute = getattr(importlib.import_module(f"sector.state.{module}"), name)
    assert attribute is pkgutil.resolve_name(f"sector.state.{now}")


@pytest.mark.parametrize(("package", "name"), [("sims", "load_manifest"), ("history", "get_range")])
def test_a_module_that_is_a_package_now_has_its_names(package: str, name: str) -> None:
    with pytest.warns(DeprecationWarning, match=rf"sector\.state\.{package}\.{name} is now "):
        assert callable(getattr(importlib.import_module(f"sector.state.{package}"), name))


def test_a_module_that_never_was_is_not_found() -> None:
    with pytest.raises(ModuleNotFoundError, match="sector.state.nothing"):
        importlib.import_module("sector.state.nothing")
    assert not hasattr(importlib.import_module("sector.state.sims"), "nothing")
