"""Settings with earlier names: they work for one minor version, and the new name has precedence."""

import json

import pytest

from fixtures.earlier_names import assert_renamed
from fixtures.processes import Processes
from sector.api.settings import ApiSettings
from sector.process import load

RENAMED = [
    ("MOST_STREAMS", "MAX_STREAMS"),
    ("MOST_WAITING_ORDERS", "MAX_PENDING_ORDERS"),
    ("READER_TIMEOUT_S", "STREAM_WRITE_TIMEOUT_S"),
    ("SENDER_TIMEOUT_S", "REQUEST_TIMEOUT_S"),
]


@pytest.fixture(autouse=True)
def redis_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["sector-api"])
    monkeypatch.setenv("REDIS_URL", "redis://localhost:6379/0")


@pytest.mark.parametrize(("earlier", "name"), RENAMED)
def test_an_earlier_name_sets_the_setting(monkeypatch: pytest.MonkeyPatch, earlier: str, name: str) -> None:
    monkeypatch.setenv(earlier, "7")
    assert getattr(load(ApiSettings, about=""), name.lower()) == 7


@pytest.mark.parametrize(("earlier", "name"), RENAMED)
def test_the_new_name_has_precedence(monkeypatch: pytest.MonkeyPatch, earlier: str, name: str) -> None:
    monkeypatch.setenv(earlier, "7")
    monkeypatch.setenv(name, "8")
    assert getattr(load(ApiSettings, about=""), name.lower()) == 8


@pytest.mark.usefixtures("sim")
def test_the_api_logs_one_warning_with_the_new_name(redis_url: str, processes: Processes) -> None:
    api = processes.start("api", REDIS_URL=redis_url, MOST_STREAMS="5", LOG_FORMAT="json")
    lines = [json.loads(line) for line in api.log.read_text().splitlines() if line.startswith("{")]
    warnings = [line for line in lines if line.get("setting") == "MOST_STREAMS"]
    assert [(line["level"], line["new_name"]) for line in warnings] == [("warning", "MAX_STREAMS")]


@pytest.mark.parametrize(
    ("earlier", "now"),
    [("settings.SHORTEST_SECRET", "settings.MIN_SECRET"), ("token.make", "token.sign_token")],
)
def test_an_earlier_name_of_a_module_is_the_new_one(earlier: str, now: str) -> None:
    assert_renamed(f"sector.api.{earlier}", f"sector.api.{now}")
