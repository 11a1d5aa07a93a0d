"""Earlier names of settings work for one minor version, and the log states the new name."""

import json
from pathlib import Path

import pytest
from sample import start_sample

from fixtures.processes import free_port
from sector.process import TracedSettings, load
from sector.process.renamed_settings import EarlierSetting, find_earlier_settings


@pytest.fixture(autouse=True)
def no_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["sample"])


@pytest.mark.parametrize(
    ("earlier", "now"), [("DRAIN_S", "SHUTDOWN_DELAY_S"), ("TRACES_A_SECOND", "MAX_TRACES_PER_SECOND")]
)
def test_an_earlier_name_sets_the_setting(monkeypatch: pytest.MonkeyPatch, earlier: str, now: str) -> None:
    monkeypatch.setenv(earlier, " 7 ")
    settings = load(TracedSettings, about="")
    assert getattr(settings, now.lower()) == 7.0
    assert now.lower() in settings.model_fields_set
    assert list(find_earlier_settings(TracedSettings)) == [EarlierSetting(earlier, now, overridden=False)]


def test_the_new_name_has_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("drain_s", "7")
    monkeypatch.setenv("SHUTDOWN_DELAY_S", "8")
    assert load(TracedSettings, about="").shutdown_delay_s == 8.0
    assert [setting.overridden for setting in find_earlier_settings(TracedSettings)] == [True]


def test_an_empty_new_name_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAIN_S", "7")
    monkeypatch.setenv("SHUTDOWN_DELAY_S", "")
    assert load(TracedSettings, about="").shutdown_delay_s == 7.0


def test_an_error_names_the_variable_that_is_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DRAIN_S", "-1")
    with pytest.raises(SystemExit):
        load(TracedSettings, about="")
    assert capsys.readouterr().err.startswith("wrong setting DRAIN_S='-1': ")


def test_a_process_warns_once_with_the_new_name(tmp_path: Path) -> None:
    process = start_sample(tmp_path / "log", free_port(), WORK="fail", DRAIN_S="0.1", LOG_FORMAT="json")
    lines = [json.loads(line) for line in process.wait().splitlines() if line.startswith("{")]
    warnings = [line for line in lines if line["event"] == "setting renamed"]
    assert [(line["level"], line["setting"], line["new_name"], line["has_effect"]) for line in warnings] == [
        ("warning", "DRAIN_S", "SHUTDOWN_DELAY_S", True)
    ]
