"""Names of version 0.10 work, with a warning that states the new name."""

import importlib

import pytest


@pytest.mark.parametrize(
    ("earlier", "now"),
    [
        ("errors.TooFast", "RateLimited"),
        ("errors.TooFarBehind", "QueueFull"),
        ("errors.KeyReused", "IdempotencyConflict"),
        ("admission.Gate", "AdmissionPolicy"),
        ("admission.Verdict", "AdmissionResult"),
        ("founding.Wish", "SimRequest"),
        ("founding.ask", "request_sim"),
        ("founding.asked", "get_request"),
        ("founding.carry_out", "reconcile"),
        ("history.Kept", "HistoryRange"),
        ("history.kept", "get_range"),
        ("link.borrowed", "acquire_connection"),
        ("sims.read_founding", "load_manifest"),
        ("sims.begin_with", "initial_commands"),
        ("ticker.Took", "PhaseDurations"),
        ("at_head.Lag", "SnapshotBacklog"),
        ("at_head.Written", "StoredHead"),
        ("at_head.written", "load_head_state"),
        ("roll_forward.Past", "StateAtTick"),
        ("roll_forward.past_in", "state_at_snapshot"),
        ("roll_forward.hold_to_its_delta", "verify_delta"),
        ("followed.Heard", "TickListener"),
    ],
)
def test_an_earlier_name_is_the_new_one(earlier: str, now: str) -> None:
    name, _, attribute = earlier.partition(".")
    module = importlib.import_module(f"sector.state.{name}")
    with pytest.warns(DeprecationWarning, match=rf"sector\.state\.{earlier} is now sector\.state\.{name}\.{now}$"):
        assert getattr(module, attribute) is getattr(module, now)
