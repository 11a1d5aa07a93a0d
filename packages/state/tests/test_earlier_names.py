"""Names of earlier versions work, with a warning that states the new name."""

import importlib

import pytest

from fixtures.earlier_names import assert_module_moved, assert_renamed


@pytest.mark.parametrize(
    ("earlier", "now"),
    [
        ("errors.TooFast", "errors.RateLimited"),
        ("errors.TooFarBehind", "errors.QueueFull"),
        ("errors.KeyReused", "errors.IdempotencyConflict"),
        ("log.admission.Gate", "log.admission.AdmissionPolicy"),
        ("log.admission.Verdict", "log.admission.AdmissionResult"),
        ("sims.requests.Wish", "sims.requests.SimRequest"),
        ("sims.requests.ask", "sims.requests.request_sim"),
        ("sims.requests.asked", "sims.requests.get_request"),
        ("sims.requests.carry_out", "sims.requests.reconcile"),
        ("history.history.Kept", "history.history.HistoryRange"),
        ("history.history.kept", "history.history.get_range"),
        ("redis.connection.borrowed", "redis.connection.acquire_connection"),
        ("sims.lifecycle.read_founding", "sims.lifecycle.load_manifest"),
        ("sims.lifecycle.begin_with", "sims.lifecycle.initial_commands"),
        ("tick.transaction.Took", "tick.transaction.PhaseDurations"),
        ("tick.transaction.Tick", "tick.transaction.CommittedTick"),
        ("tick.head_state.Lag", "tick.head_state.SnapshotBacklog"),
        ("tick.head_state.Written", "tick.head_state.StoredHead"),
        ("tick.head_state.written", "tick.head_state.load_head_state"),
        ("history.roll_forward.Past", "history.roll_forward.StateAtTick"),
        ("history.roll_forward.past_in", "history.roll_forward.state_at_snapshot"),
        ("history.roll_forward.hold_to_its_delta", "history.roll_forward.verify_delta"),
        ("watch.sim_watcher.Heard", "watch.sim_watcher.TickListener"),
        ("watch.sim_watcher.Followed", "watch.sim_watcher.SimWatcher"),
        ("watch.reader.View", "watch.reader.SimView"),
        ("watch.reader.Page", "watch.reader.EventBatch"),
        ("watch.reader.Wanted", "watch.reader.EventFilter"),
        ("watch.reader.tick_events", "watch.reader.decode_tick"),
        ("log.order_log.read_entries", "log.order_log.decode_orders"),
        ("errors.SimFinished", "errors.SimAlreadyFinished"),
        ("log.order_log.Poison", "log.order_log.DeadLetter"),
        ("log.order_log.logged", "log.order_log.count_entries"),
        ("log.order_log.pending", "log.order_log.load_pending"),
        ("redis.connection.Link", "redis.connection.Connection"),
        ("redis.connection.call", "redis.connection.execute"),
        ("redis.connection.strings", "redis.connection.mget"),
        ("redis.group_commit.MOST_ORDERS", "redis.group_commit.MAX_GROUP_ORDERS"),
        ("redis.health.Note", "redis.health.UpdateCondition"),
        ("sims.lifecycle.found", "sims.lifecycle.create"),
        ("sims.lifecycle.listed", "sims.lifecycle.list_ids"),
        ("sims.lifecycle.heads", "sims.lifecycle.load_heads"),
        ("sims.lifecycle.remove", "sims.lifecycle.delete"),
        ("tick.head_state.MOST_TICKS", "tick.head_state.MAX_SNAPSHOT_AGE_TICKS"),
        ("tick.membership.sign", "tick.membership.heartbeat"),
        ("tick.membership.leave", "tick.membership.deregister"),
        ("link.Link", "redis.connection.Connection"),
        ("link.Packed", "redis.command_encoding.EncodedCommand"),
        ("link.packed", "redis.command_encoding.encode_commands"),
        ("orders.Poison", "log.order_log.DeadLetter"),
        ("orders.SCOPE_ADMIN", "log.order_codec.SCOPE_ADMIN"),
        ("orders.SCOPE_PLAYER", "log.order_codec.SCOPE_PLAYER"),
        ("orders.VERSION", "log.order_codec.VERSION"),
        ("round_trips.failed", "redis.round_trips.count_error"),
        ("round_trips.took", "redis.round_trips.observe_latency"),
        ("sims.load_manifest", "sims.lifecycle.load_manifest"),
        ("history.get_range", "history.history.get_range"),
    ],
)
def test_an_earlier_name_is_the_new_one(earlier: str, now: str) -> None:
    assert_renamed(f"sector.state.{earlier}", f"sector.state.{now}")


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
    assert_module_moved(f"sector.state.{earlier}", f"sector.state.{now}")


def test_a_module_that_never_was_is_not_found() -> None:
    with pytest.raises(ModuleNotFoundError, match="sector.state.nothing"):
        importlib.import_module("sector.state.nothing")
    assert not hasattr(importlib.import_module("sector.state.sims"), "nothing")
