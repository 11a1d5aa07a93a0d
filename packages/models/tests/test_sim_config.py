"""The config of a sim."""

import json

import pytest
from pydantic import ValidationError

from sector.models import Puppet, SimConfig
from sector.models.error_texts import list_causes
from sector.models.mapfile import MapFile, MapLane, MapSystem


def test_a_config_survives_a_json_round_trip() -> None:
    config = SimConfig(seed=9, systems=10, homes=3, puppets=(Puppet(faction="A"), Puppet(faction="B")))
    assert SimConfig.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"systems": 1}', "systems"),
        ('{"systems": 4, "homes": 5}', "homes"),
        ('{"homes": 1}', "puppets"),
        ('{"puppets": ["A", "A"]}', "puppets"),
        ('{"seed": -1}', "seed"),
        ('{"sytems": 10}', "sytems"),
        ('{"home_ships": 1e30}', "home_ships"),
    ],
)
def test_an_invalid_config_is_rejected_with_the_name_of_the_field(body: str, field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        SimConfig.model_validate_json(body)


def test_a_puppet_is_a_name_or_a_name_with_a_temperament() -> None:
    config = SimConfig.model_validate_json('{"puppets": ["A", {"faction": "B", "temperament": "raider"}]}')
    assert config.puppets == (Puppet(faction="A"), Puppet(faction="B", temperament="raider"))
    with pytest.raises(ValidationError, match="temperament"):
        SimConfig.model_validate_json('{"puppets": [{"faction": "B", "temperament": "meek"}]}')


def test_the_classic_preset_has_its_own_defaults() -> None:
    config = SimConfig.model_validate_json('{"preset": "classic", "players": ["A"], "max_ticks": 50}')
    assert (config.travel, config.max_ticks, config.home_ships, config.puppets) == ("direct", 50, 100, ())
    assert SimConfig.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize("sequence", [list, tuple])
def test_players_and_puppets_are_lists_or_tuples(sequence: type[list[str]] | type[tuple[str, ...]]) -> None:
    config = SimConfig(players=sequence(["Me", "You"]), puppets=())
    assert config.players == ("Me", "You")
    assert config == SimConfig(players=("Me", "You"), puppets=[])
    assert hash(config) == hash(SimConfig(players=("Me", "You"), puppets=()))


def test_a_config_does_not_change_with_the_list_of_the_caller() -> None:
    players = ["Me"]
    config = SimConfig(players=players)
    players.append("You")
    assert config.players == ("Me",)


def test_a_python_dict_accepts_the_same_values_as_json() -> None:
    body = """{"players": ["Me"], "puppets": [{"faction": "Crimson", "temperament": "raider"}, "Azure"], "homes": 4, "map": {
        "systems": [
          {"id": "S0", "name": "Rona", "x": 0, "y": 0, "growth": 4, "supply_yield": 4, "ships": 60},
          {"id": "S1", "name": "Lira", "x": 5, "y": 0, "growth": 4, "supply_yield": 4, "ships": 60},
          {"id": "S2", "name": "Tane", "x": 9, "y": 0, "growth": 4, "supply_yield": 4, "ships": 60},
          {"id": "S3", "name": "Vela", "x": 9, "y": 9, "growth": 4, "supply_yield": 4, "ships": 60}],
        "lanes": [{"a": "S0", "b": "S1"}, {"a": "S1", "b": "S2"}, {"a": "S2", "b": "S3"}], "homes": ["S0", "S1", "S2", "S3"]}}"""
    assert SimConfig(**json.loads(body)) == SimConfig.model_validate_json(body)


def test_a_map_from_python_accepts_lists() -> None:
    systems = [
        MapSystem(id=f"S{n}", name=f"System {n}", x=5 * n, y=0, growth=1, supply_yield=1, ships=3) for n in range(2)
    ]
    two_systems = MapFile(systems=systems, lanes=[MapLane(a="S0", b="S1")], homes=["S0", "S1"])
    assert SimConfig(map=two_systems, puppets=[Puppet(faction="Azure")]).homes == 2
    assert (two_systems.systems, two_systems.homes) == (tuple(systems), ("S0", "S1"))


@pytest.mark.parametrize("players", ["Me", {"Me", "You"}, {"Me": 1}, 7, None, [7], [None], ["no spaces"]])
def test_an_invalid_list_of_names_is_rejected(players: object) -> None:
    with pytest.raises(ValidationError, match="players"):
        SimConfig.model_validate({"players": players})


@pytest.mark.parametrize("name", ["players", "puppets"])
def test_lists_of_factions_have_a_maximum_length(name: str) -> None:
    with pytest.raises(ValidationError, match=f"{name}\\n.*at most 1000 items"):
        SimConfig.model_validate({name: ["Me"] * 1_001})


def test_validation_of_a_map_stops_at_the_first_error() -> None:
    with pytest.raises(ValidationError) as refused:
        MapFile.model_validate({"systems": [{}] * 1_000, "lanes": [{}] * 1_000, "homes": [7] * 1_000})
    assert refused.value.error_count() < 20


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        ({"preset": "chess"}, ["preset"]),
        ({"map": {"systems": [], "homes": ["S0"]}}, ["map.systems"]),
        ({"seed": -1, "systems": 1}, ["seed", "systems"]),
    ],
)
def test_defaults_that_depend_on_an_invalid_field_are_no_errors(config: dict[str, object], fields: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        SimConfig.model_validate(config)
    assert [".".join(map(str, each["loc"])) for each in list_causes(caught.value)] == fields
