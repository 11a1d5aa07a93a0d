"""Generated maps."""

from copy import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.long import max_examples
from sector.models import SimConfig
from sector.models.frame import digest, encode
from sector.world.codec import map_frame
from sector.world.galaxy import NOWHERE, GalaxyError
from sector.world.generate import generate
from sector.world.placement import distance


def test_a_seed_gives_the_same_map_on_every_machine() -> None:
    galaxy, _ = generate(SimConfig(seed=42, systems=200))
    assert digest(encode(map_frame(galaxy))) == "1f7eb3eb63c264a5357430d851b91772"


def test_another_seed_gives_another_map() -> None:
    maps = {digest(encode(map_frame(generate(SimConfig(seed=seed))[0]))) for seed in range(10)}
    assert len(maps) == 10


@settings(max_examples=max_examples(60), deadline=None)
@given(st.integers(0, 2**63 - 1), st.integers(2, 400))
def test_any_map_is_connected_and_well_spaced_with_unique_names(seed: int, systems: int) -> None:
    galaxy, garrison = generate(SimConfig(seed=seed, systems=systems, homes=2))  # raises if not connected
    assert len(set(galaxy.names)) == systems
    assert all(name.isalpha() and name.istitle() for name in galaxy.names)
    x, y = galaxy.x.astype(np.int64), galaxy.y.astype(np.int64)
    squared = (x[:, None] - x) ** 2 + (y[:, None] - y) ** 2
    assert squared[~np.eye(systems, dtype=bool)].min() >= 3**2
    assert garrison.min() >= 1
    assert len(set(galaxy.home.tolist())) == 2


def test_no_two_lanes_cross() -> None:
    galaxy, _ = generate(SimConfig(seed=5, systems=150))
    points = list(zip(galaxy.x.tolist(), galaxy.y.tolist(), strict=True))
    lanes = list(zip(galaxy.lane_a.tolist(), galaxy.lane_b.tolist(), strict=True))

    def side(p: tuple[int, int], q: tuple[int, int], r: tuple[int, int]) -> int:
        return int(np.sign((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])))

    for i, (a, b) in enumerate(lanes):
        for c, d in lanes[:i]:
            if len({a, b, c, d}) == 4:
                p, q, r, s = points[a], points[b], points[c], points[d]
                assert not (side(p, q, r) * side(p, q, s) < 0 and side(r, s, p) * side(r, s, q) < 0)


def test_a_lane_has_the_same_length_in_both_directions() -> None:
    galaxy, _ = generate(SimConfig(systems=50))
    a, b = galaxy.lane_a.astype(np.int64), galaxy.lane_b.astype(np.int64)
    assert galaxy.lanes(a, b).tolist() == galaxy.lanes(b, a).tolist() == galaxy.straight(a, b).tolist()
    assert b[0] in galaxy.neighbours(int(a[0]))
    assert galaxy.lanes(a, a).tolist() == galaxy.straight(a, a).tolist() == [NOWHERE] * len(a)


def test_on_a_map_without_lanes_no_system_has_neighbours() -> None:
    galaxy, _ = generate(SimConfig(systems=2, homes=1, puppets=()))
    none = galaxy.lane_a[:0]
    galaxy = replace(galaxy, lane_a=none, lane_b=none, lane_length=none)
    assert galaxy.lanes(np.array([0, 1]), np.array([1, 0])).tolist() == [NOWHERE, NOWHERE]
    assert galaxy.lane(0, 1) == NOWHERE
    assert galaxy.neighbours(0).tolist() == []


def test_a_generated_map_in_two_parts_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    none = np.empty(0, np.int32)
    monkeypatch.setattr("sector.world.generate.join", lambda _: (none, none))
    with pytest.raises(GalaxyError, match="no lanes join S1 to S0"):
        generate(SimConfig(systems=2, homes=1, puppets=()))


@pytest.mark.parametrize(("dx", "dy", "ticks"), [(3, 4, 5), (0, 0, 1), (1, 1, 2), (10**6, 1, 10**6 + 1)])
def test_distance_is_rounded_up_and_at_least_one(dx: int, dy: int, ticks: int) -> None:
    assert distance(np.array([dx]), np.array([dy])).tolist() == [ticks]
