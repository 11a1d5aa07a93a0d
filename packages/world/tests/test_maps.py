"""Maps: fairness of homes, map files, and errors of unplayable maps."""

import json
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from fixtures.long import max_examples
from fixtures.processes import run_module
from sector.models import SimConfig
from sector.models.frame import decode, encode
from sector.models.mapfile import MapFile
from sector.models.rows import table_rows
from sector.world import SectorWorld, maps
from sector.world.codec import map_frame
from sector.world.fairness import fairness
from sector.world.galaxy import GalaxyError
from sector.world.generate import generate
from sector.world.map_conversion import galaxy_from_map, map_from_galaxy
from sector.world.placement import ALIKE_TICKS, place


@settings(max_examples=max_examples(40), deadline=None)
@given(st.integers(0, 2**63 - 1), st.sampled_from([(60, 6), (100, 8), (150, 5), (400, 12), (1000, 20), (1000, 2)]))
@example(2714356, (60, 6)).via("a lane led from one home to the system behind its neighbours")
@example(27559, (100, 8)).via("the same")
def test_homes_are_fair_if_there_is_room(seed: int, size: tuple[int, int]) -> None:
    systems, homes = size
    alike = place(seed, systems, homes).alike
    assert alike >= 1
    galaxy, garrison = generate(SimConfig(seed=seed, systems=systems, homes=homes, puppets=()))
    figures = fairness(galaxy, ALIKE_TICKS[alike])
    assert figures.wealth_spread == 1.0
    assert figures.distance_spread <= 1.35
    lengths = [sorted(galaxy.arcs[2][galaxy.arcs[0] == home].tolist()) for home in galaxy.home]
    assert all(each == lengths[0] for each in lengths)
    around = [sorted(garrison[galaxy.neighbours(home)].tolist()) for home in galaxy.home.tolist()]
    assert all(each == around[0] for each in around)


@pytest.mark.parametrize("size", [(2, 1), (2, 2), (3, 2), (9, 9), (10, 7), (24, 4), (47, 11)])
def test_a_small_map_still_has_its_homes(size: tuple[int, int]) -> None:
    galaxy, _ = generate(SimConfig(seed=1, systems=size[0], homes=size[1], puppets=()))
    assert len(set(galaxy.home.tolist())) == size[1]


def test_the_largest_map_can_be_generated() -> None:
    galaxy, _ = generate(SimConfig(seed=7, systems=100_000, homes=1_000, puppets=()))
    assert len(set(galaxy.names)) == 100_000
    assert fairness(galaxy, 11).wealth_spread == 1.0


@settings(max_examples=max_examples(30), deadline=None)
@given(st.integers(0, 2**63 - 1), st.integers(2, 60))
def test_a_map_file_gives_the_same_map_again(seed: int, systems: int) -> None:
    config = SimConfig(seed=seed, systems=systems, homes=2, puppets=())
    galaxy, garrison = generate(config)
    text = map_from_galaxy(galaxy, garrison).model_dump_json()
    again, ships = galaxy_from_map(MapFile.model_validate_json(text), config)
    assert encode(map_frame(again)) == encode(map_frame(galaxy))
    assert np.array_equal(ships, garrison)


def a_map(**changes: object) -> dict[str, object]:
    """Return a map of three systems in a row."""
    systems = [
        {"id": f"S{n}", "name": f"N{n}", "x": 5 * n, "y": 0, "growth": 1, "supply_yield": 2, "ships": 9}
        for n in range(3)
    ]
    lanes = [{"a": "S0", "b": "S1"}, {"a": "S2", "b": "S1"}]
    return {"systems": systems, "lanes": lanes, "homes": ["S2", "S0"]} | changes


def _system(number: int, **changes: object) -> dict[str, object]:
    systems = a_map()["systems"]
    assert isinstance(systems, list)
    return {**systems[number], **changes}


def test_a_sim_is_created_with_a_map_and_stores_it() -> None:
    config = SimConfig.model_validate_json(json.dumps({"map": a_map(), "puppets": ["Crimson"], "travel": "lanes"}))
    assert (config.systems, config.homes) == (3, 2)
    assert SimConfig.model_validate_json(config.model_dump_json()) == config
    world = SectorWorld()
    state = world.load(config, *world.create(config)).state
    assert state.owner.tolist() == [-1, -1, 0]
    assert state.galaxy.lane_length.tolist() == [5, 5]
    assert world.create(config) == world.create(SimConfig.model_validate_json(config.model_dump_json()))


def test_tick_0_has_players_then_puppets_at_home_and_no_fleets() -> None:
    """Factions get the homes in the order of the map. A system that is not a home stays neutral."""
    config = SimConfig.model_validate_json(json.dumps({"map": a_map(), "players": ["Me"], "puppets": ["Crimson"]}))
    snapshot = decode(SectorWorld().create(config)[1])
    assert snapshot.meta == {"tick": 0, "status": "running", "winner": None, "next_fleet": 0, "parent": ""}
    rows = table_rows([snapshot])
    assert [(system["owner"], system["ships"]) for system in rows["systems"]] == [("Crimson", 9), (None, 9), ("Me", 9)]
    assert [(each["id"], each["puppet"], each["alive"], each["home"]) for each in rows["factions"]] == [
        ("Me", False, True, "S2"),
        ("Crimson", True, True, "S0"),
    ]
    assert {each["supply"] for each in rows["factions"]} == {config.start_supply}
    assert rows["fleets"] == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"systems": [_system(0), _system(1), _system(1)]}, "system S1 appears more than once"),
        ({"systems": [_system(0), _system(1), _system(2, id="S7")]}, "S0 to S2: S2 is missing"),
        ({"systems": [_system(0), _system(1), _system(2, name="N1")]}, "system name N1 appears more than once"),
        ({"systems": [_system(0)]}, "at least 2 items"),
        ({"systems": [_system(0), _system(1), _system(2, ships=-1)]}, "greater than or equal to 0"),
        ({"systems": [_system(0), _system(1), _system(2, ships=10**13)]}, "less than or equal to"),
        ({"systems": [_system(0), _system(1), _system(2, growth=10**7)]}, "less than or equal to 1000000"),
        ({"systems": [_system(0), _system(1), _system(2, x=10**7)]}, "less than or equal to 1000000"),
        ({"systems": [_system(0), _system(1), _system(2, x=1.5)]}, "valid integer"),
        ({"systems": [_system(0), _system(1), _system(2, colour="red")]}, "Extra inputs"),
        ({"lanes": [{"a": "S0", "b": "S9"}]}, "lane S0-S9: system S9 does not exist"),
        ({"lanes": [{"a": "S0", "b": "S0"}]}, "lane S0-S0 must join two different systems"),
        ({"lanes": [{"a": "S0", "b": "S1"}, {"a": "S1", "b": "S0"}]}, "lane S0-S1 appears more than once"),
        ({"homes": ["S5"]}, "homes: system S5 does not exist"),
        ({"homes": ["S0", "S0"]}, "home S0 appears more than once"),
        ({"homes": []}, "at least 1 item"),
    ],
)
def test_an_invalid_map_is_rejected_with_a_reason(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SimConfig.model_validate_json(json.dumps({"map": a_map(**changes), "puppets": []}))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"puppets": ["A", "B", "C"]}, "must not exceed homes"),
        ({"systems": 5, "puppets": []}, "must match the map"),
        ({"players": ["A"], "puppets": ["A"]}, "different names"),
    ],
)
def test_a_config_that_does_not_match_its_map_is_rejected_with_a_reason(
    config: dict[str, object], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        SimConfig.model_validate_json(json.dumps({"map": a_map(), **config}))


def test_a_map_in_two_parts_requires_direct_travel() -> None:
    parted = {"map": a_map(lanes=[{"a": "S0", "b": "S1"}]), "puppets": []}
    with pytest.raises(GalaxyError, match="no lanes join S2 to S0"):
        SectorWorld().create(SimConfig.model_validate_json(json.dumps(parted)))
    SectorWorld().create(SimConfig.model_validate_json(json.dumps({**parted, "travel": "direct"})))


def _maps(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run_module("sector.world.maps", *arguments)


def test_the_command_generates_validates_and_draws_maps(tmp_path: Path) -> None:
    generated = _maps("make", "--systems", "100", "--homes", "8", "--seed", "3")
    assert generated.returncode == 0, generated.stderr
    path = tmp_path / "map.json"
    path.write_text(generated.stdout)
    checked = _maps("check", str(path))
    assert checked.returncode == 0, checked.stderr
    assert "100 systems, " in checked.stdout
    assert "the nearest other home is 26 to 26 ticks away" in checked.stdout
    picture = ElementTree.fromstring(_maps("draw", str(path)).stdout)  # noqa: S314 # trusted
    assert len(picture.findall(".//{*}circle")) == 108


def test_a_map_of_one_home_has_no_nearest_rival(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "map.json"
    path.write_text(json.dumps(a_map(homes=["S0"])))
    assert maps.main(["check", str(path)]) == 0
    checked = capsys.readouterr().out.splitlines()
    assert checked[1:] == [
        "1 homes",
        "  within 11 ticks of each grow 3 to 3 ships a tick",
        "  and 6 to 6 supply a tick",
    ]


def test_the_command_reports_the_error_of_a_map(tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    path.write_text(json.dumps(a_map(homes=["S5"])))
    done = _maps("check", str(path))
    assert (done.returncode, done.stderr) == (1, "maps: the map: homes: system S5 does not exist\n")
    path.write_text(json.dumps(a_map(lanes=[])))
    assert "no lanes join S1 to S0" in _maps("check", str(path)).stderr
    path.write_text("{")
    assert _maps("check", str(path)).returncode == 1
    assert "maps: systems: must be at least 2" in _maps("make", "--systems", "1").stderr


def test_names_in_a_map_reach_the_terminal_escaped(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "map.json"
    path.write_text(json.dumps(a_map(systems=[_system(number, name="\x1b]0;pwned\x07") for number in range(3)])))
    assert maps.main(["check", str(path)]) == 1
    message = capfd.readouterr().err.rstrip("\n")
    assert r"system name \x1b]0;pwned\x07 appears more than once" in message
    assert message.isprintable()
