"""Settings from the environment. An invalid one is reported with its value and the allowed values."""

from typing import Annotated

import pytest
from pydantic import BeforeValidator, Field, SecretStr

from sector.models.urls import HttpUrl
from sector.process import HttpUrlSetting, SecretSetting, Settings, TokenSetting, TracedSettings, load


class Sample(TracedSettings):
    api_url: HttpUrlSetting = Field(default=HttpUrl("http", "api", 8000), description="A URL.")
    auth_secret: SecretSetting = Field(default=None, description="A secret.")
    api_token: TokenSetting = Field(default=None, description="A token.")
    tick_delay: float = Field(default=0.5, ge=0, le=3600, description="Seconds, 0 to 3600.")


@pytest.fixture(autouse=True)
def no_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["sample"])


def test_a_setting_has_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICK_DELAY", "")
    settings = load(Sample, about="")
    assert (str(settings.api_url), settings.tick_delay) == ("http://api:8000", 0.5)


def test_a_setting_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICK_DELAY", "2")
    monkeypatch.setenv("API_URL", "https://host:1/2")
    settings = load(Sample, about="")
    assert (str(settings.api_url), settings.tick_delay) == ("https://host:1/2", 2.0)


@pytest.mark.parametrize("value", ["abc", "-1", "3601", "nan", "inf"])
def test_an_invalid_setting_exits_with_2_and_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    monkeypatch.setenv("TICK_DELAY", value)
    with pytest.raises(SystemExit) as exited:
        load(Sample, about="")
    assert exited.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"wrong setting TICK_DELAY={value!r}: ")
    assert line.endswith("Allowed: Seconds, 0 to 3600.")


def test_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("API_URL", "http://user:secret@host")
    with pytest.raises(SystemExit):
        load(Sample, about="")
    errors = capsys.readouterr().err
    assert "API_URL=(hidden)" in errors
    assert "secret" not in errors


def test_the_help_lists_all_settings(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["sample", "--help"])
    with pytest.raises(SystemExit) as exited:
        load(Sample, about="sample: what this is.")
    assert exited.value.code == 0
    output = capsys.readouterr().out
    assert output.startswith("usage: sample [--help]\n\nsample: what this is.\n")
    assert all(text in output for text in ("API_URL", "TICK_DELAY  (default: 0.5)", "Seconds, 0 to 3600."))


def test_an_unknown_argument_exits_with_2(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["sample", "--port", "1"])
    with pytest.raises(SystemExit) as exited:
        load(Sample, about="")
    assert exited.value.code == 2
    assert "--port" in capsys.readouterr().err


HIDDEN = "hunter2-hunter2-hunter2-hunter2-hunter2"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("AUTH_SECRET", f'"{HIDDEN}"', "in quotes"),
        ("AUTH_SECRET", f"'{HIDDEN}'", "in quotes"),
        ("AUTH_SECRET", f"{HIDDEN}\n{HIDDEN}", "line break"),
        ("AUTH_SECRET", f"{HIDDEN}\x7f{HIDDEN}", "control character"),
        ("AUTH_SECRET", f"{HIDDEN}\u2028{HIDDEN}", "control character"),
        ("API_TOKEN", f"{HIDDEN} {HIDDEN}", "spaces"),
        ("API_TOKEN", f"{HIDDEN}\u00fc", "not ASCII"),
        ("API_TOKEN", f"Bearer {HIDDEN}", "the word Bearer"),
        ("API_TOKEN", f'"{HIDDEN}"', "in quotes"),
        ("API_TOKEN", f"{HIDDEN}\r\nX-Other: 1", "line break"),
        ("API_TOKEN", " ", "only white space"),
        ("API_URL", f"http://user:{HIDDEN}@host", "a user or a password"),
        ("API_URL", f"http:/user:{HIDDEN}@host", "http:// or https://"),
        ("API_URL", f"http://user:/{HIDDEN}@host", "write / in a password as %2F"),
        ("API_URL", "http://[::1", "brackets"),
        ("API_URL", "http://host:99999", "a port"),
        ("API_URL", "http://host:", "a port"),
        ("API_URL", "http://host?x", "a query"),
        ("API_URL", "http://ho st", "white space"),
        ("API_URL", "'http://host'", "in quotes"),
        ("TRACES_URL", f"http://user:{HIDDEN}@:4318", "not a valid name"),
        ("TRACES_URL", "collector:4318", "http:// or https://"),
        ("HOST", "127.0.0.1:80", "not a valid name"),
        ("HOST", "256.0.0.1", "IPv4"),
    ],
)
def test_an_invalid_value_is_one_line_without_the_secret(
    name: str, value: str, reason: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        load(Sample, about="")
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"wrong setting {name}=")
    assert reason in line
    assert "hunter2" not in line


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("AUTH_SECRET", f"{HIDDEN}\n", HIDDEN),
        ("AUTH_SECRET", f"\t {HIDDEN} \r\n", HIDDEN),
        ("AUTH_SECRET", f"\ufeff{HIDDEN}", HIDDEN),
        ("API_TOKEN", f" {HIDDEN}\t\n", HIDDEN),
        ("LOG_LEVEL", "WARNING ", "warning"),
        ("LOG_FORMAT", "Json", "json"),
        ("HOST", "[::1]", "::1"),
        ("HOST", " 127.0.0.1\n", "127.0.0.1"),
        ("API_URL", "HTTP://API.Example.org:80/api/ ", "http://api.example.org/api"),
        ("API_URL", "https://[2001:DB8::0:1]:443", "https://[2001:db8::1]"),
        ("TRACES_URL", "http://user:pass@collector:4318/", "http://collector:4318"),
    ],
)
def test_a_value_is_converted_to_its_canonical_form(
    name: str, value: str, read: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    value_read = getattr(load(Sample, about=""), name.lower())
    assert (value_read.get_secret_value() if isinstance(value_read, SecretStr) else str(value_read)) == read


def test_the_text_of_settings_contains_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACES_URL", f"http://user:{HIDDEN}@collector")
    monkeypatch.setenv("AUTH_SECRET", HIDDEN)
    settings = load(Sample, about="")
    assert settings.traces_url is not None
    assert settings.traces_url.text == f"http://user:{HIDDEN}@collector"
    assert "hunter2" not in f"{settings} {settings!r} {settings.model_dump_json()}"


def test_several_errors_of_one_setting_are_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Many(Settings):
        ports: Annotated[list[int], BeforeValidator(lambda text: text.split(","))] = Field(description="Numbers.")

    monkeypatch.setenv("PORTS", "a,b,c")
    with pytest.raises(SystemExit):
        load(Many, about="")
    (line,) = capsys.readouterr().err.splitlines()
    assert "(and 2 more errors)" in line
