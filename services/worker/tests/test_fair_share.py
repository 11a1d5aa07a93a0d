"""The fair share of the sims that each worker holds."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sector.worker.fair_share import fair_share

HELD = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, 50), min_size=1, max_size=12)


@settings(deadline=None)
@given(HELD, st.integers(0, 200))
def test_shares_add_up_and_differ_by_at_most_one(held: dict[str, int], sims: int) -> None:
    shares = [fair_share(worker, held, sims) for worker in held]
    assert sum(shares) == sims
    assert max(shares) - min(shares) <= 1


@settings(deadline=None)
@given(HELD)
def test_balanced_shares_do_not_change(held: dict[str, int]) -> None:
    sims = sum(held.values())
    settled = {worker: fair_share(worker, held, sims) for worker in held}
    assert {worker: fair_share(worker, settled, sims) for worker in settled} == settled


def test_a_new_worker_gets_the_surplus_of_the_others() -> None:
    held = {"old": 10, "new": 0}
    assert (fair_share("old", held, 10), fair_share("new", held, 10)) == (5, 5)
