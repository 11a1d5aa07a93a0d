"""Settings: read from the environment; a wrong one is named, with its value and what is allowed."""

import pytest
from pydantic import Field

from sector.process import RedisUrl, Settings, load


class Sample(Settings):
    redis_url: RedisUrl
    tick_delay: float = Field(default=0.5, ge=0, le=3600, description="Seconds, 0 to 3600.")


@pytest.fixture(autouse=True)
def no_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["sample"])


def test_what_is_not_set_has_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICK_DELAY", "")
    settings = load(Sample, about="")
    assert (settings.redis_url, settings.tick_delay) == ("redis://redis:6379/0", 0.5)


def test_what_is_set_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICK_DELAY", "2")
    monkeypatch.setenv("REDIS_URL", "rediss://user:secret@host:1/2")
    settings = load(Sample, about="")
    assert (settings.redis_url, settings.tick_delay) == ("rediss://user:secret@host:1/2", 2.0)


@pytest.mark.parametrize("value", ["abc", "-1", "3601", "nan", "inf"])
def test_a_wrong_one_exits_with_2_and_one_line(
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
    monkeypatch.setenv("REDIS_URL", "http://user:secret@host")
    with pytest.raises(SystemExit):
        load(Sample, about="")
    said = capsys.readouterr().err
    assert "REDIS_URL" in said
    assert "secret" not in said


def test_help_lists_all(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["sample", "--help"])
    with pytest.raises(SystemExit) as exited:
        load(Sample, about="What this is.")
    assert exited.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith("What this is.")
    assert all(text in said for text in ("REDIS_URL", "TICK_DELAY  (default: 0.5)", "Seconds, 0 to 3600."))


def test_an_argument_that_is_none_exits_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["sample", "--port", "1"])
    with pytest.raises(SystemExit) as exited:
        load(Sample, about="")
    assert exited.value.code == 2
    assert "--port" in capsys.readouterr().err


@pytest.mark.parametrize(
    "url",
    [
        "redis://user:pa/ss@host:6379/0",
        "redis://user:pa#ss@host:6379/0",
        "redis://user:pa[ss@host:6379/0",
        "redis://user:pass@host:99999/0",
        "redis://user:pass@host:port/0",
        "redis+sentinel://user:pa?ss@one:26379,two:26379/service/0",
        "redis+cluster://user:pass@one:6379,two:0",
    ],
)
def test_a_url_whose_hosts_are_invalid_ends_it_and_nothing_of_the_password_is_shown(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    with pytest.raises(SystemExit) as ended:
        load(Sample, about="")
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "REDIS_URL=(hidden)" in said
    assert "a host or a port is invalid" in said
    assert "'pa" not in said


@pytest.mark.parametrize(
    "url",
    [
        "redis://host",
        "redis://[::1]:6379/0",
        "rediss://user:pa%2Fss@host:6379/0",
        "redis+sentinel://user:p@one:26379,two/service/0",
        "redis+cluster://one:1,two:2",
        "unix:///run/a,b:c?db=0",
        "redis:///1",
    ],
)
def test_a_url_with_hosts_is_accepted(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    assert load(Sample, about="").redis_url == url
