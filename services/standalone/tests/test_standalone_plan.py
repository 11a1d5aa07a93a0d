"""What each process of a world is started with."""

from pathlib import Path

import pytest

from fixtures.tokens import SECRET
from sector.standalone.options import parser
from sector.standalone.plan import make_plan
from sector.standalone.screen import welcome


def settings(tmp_path: Path, service: str, *arguments: str) -> dict[str, str]:
    """Return the settings of a service in the plan for these arguments."""
    plan = make_plan(parser().parse_args(arguments), tmp_path / "valkey.sock", tmp_path)
    (spec,) = (each for each in plan.services if each.name == service)
    return dict(spec.environment)


@pytest.mark.parametrize(
    ("arguments", "origins"),
    [
        ([], "http://127.0.0.1:9000,http://localhost:9000"),
        (["--cors-origin=*"], "*"),
        (["--cors-origin=*", "--cors-origin=https://game.example"], "*"),
        (
            ["--port-base=7000", "--cors-origin=https://a.example"],
            "http://127.0.0.1:8000,http://localhost:8000,https://a.example",
        ),
    ],
)
def test_the_api_allows_the_page_and_the_origins_that_are_given(
    tmp_path: Path, arguments: list[str], origins: str
) -> None:
    assert settings(tmp_path, "api", *arguments)["CORS_ORIGINS"] == origins


@pytest.mark.parametrize("given", ["http://192.0.2.1:8800", "https://world.example/api"])
def test_the_page_is_given_the_address_of_the_api_for_browsers(tmp_path: Path, given: str) -> None:
    assert settings(tmp_path, "viz")["API_URL"] == "http://127.0.0.1:8000"
    assert settings(tmp_path, "viz", f"--api-url={given}")["API_URL"] == given


def test_a_secret_that_is_given_is_used_and_none_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH_SECRET", SECRET)
    assert settings(tmp_path, "api")["AUTH_SECRET"] == SECRET
    assert not (tmp_path / "auth-secret").exists()
    assert settings(tmp_path, "bot-Aurora")["API_TOKEN"] != settings(tmp_path, "bot-Borealis")["API_TOKEN"]


def test_the_screen_shows_how_to_start_a_bot_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan(parser().parse_args(["--port-base=7000"]), tmp_path / "valkey.sock", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert "bot.py" not in welcome(plan, "logs", 7, None)
    (tmp_path / "examples/bots").mkdir(parents=True)
    (tmp_path / "examples/bots/first_bot.py").touch()
    command = "python3 examples/bots/first_bot.py --api http://127.0.0.1:7000 --token $TOKEN"
    assert command in welcome(plan, "logs", 7, None)


def test_a_service_has_one_port_whatever_the_environment_says(tmp_path: Path) -> None:
    assert settings(tmp_path, "api")["OPERATOR_PORT"] == settings(tmp_path, "viz")["OPERATOR_PORT"] == "0"
