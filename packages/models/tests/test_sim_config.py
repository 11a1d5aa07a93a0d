"""The founding config."""

import pytest
from pydantic import ValidationError

from sector.models import Puppet, SimConfig


def test_it_survives_json() -> None:
    config = SimConfig(seed=9, systems=10, homes=3, puppets=(Puppet(faction="A"), Puppet(faction="B")))
    assert SimConfig.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize(
    ("body", "said"),
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
def test_a_config_that_cannot_be_says_why(body: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        SimConfig.model_validate_json(body)


def test_a_puppet_is_a_name_or_a_name_with_a_temperament() -> None:
    config = SimConfig.model_validate_json('{"puppets": ["A", {"faction": "B", "temperament": "raider"}]}')
    assert config.puppets == (Puppet(faction="A"), Puppet(faction="B", temperament="raider"))
    with pytest.raises(ValidationError, match="temperament"):
        SimConfig.model_validate_json('{"puppets": [{"faction": "B", "temperament": "meek"}]}')


def test_the_classic_preset_fills_in_what_is_left_out() -> None:
    config = SimConfig.model_validate_json('{"preset": "classic", "players": ["A"], "max_ticks": 50}')
    assert (config.travel, config.max_ticks, config.home_ships, config.puppets) == ("direct", 50, 100, ())
    assert SimConfig.model_validate_json(config.model_dump_json()) == config
