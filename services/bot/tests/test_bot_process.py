"""The bot as a process: without an API it waits, and wrong settings end it. tests/integration lets it play."""

import pytest

from fixtures.processes import Processes, free_port


def test_a_bot_without_an_api_retries_and_reports_it(processes: Processes) -> None:
    bot = processes.start("bot", wait=False, API_URL=f"http://127.0.0.1:{free_port()}")
    bot.wait_for_fault("api", "ConnectError")
    assert bot.end() == 0
    assert bot.log.read_text().count("condition failed, retrying") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BOT_FACTION", "no spaces"),
        ("BOT_POLL_INTERVAL", "0"),
        ("BOT_MAX_ORDERS", "0"),
        ("API_URL", "127.0.0.1:8000"),
        ("HEALTH_PORT", "99999"),
    ],
)
def test_an_invalid_setting_exits_with_2_and_one_line(processes: Processes, name: str, value: str) -> None:
    bot = processes.start("bot", wait=False, **{name: value})
    assert bot.process.wait(timeout=60) == 2
    (line,) = bot.log.read_text().splitlines()
    assert line.startswith(f"wrong setting {name}={value!r}: ")
    assert "Allowed: " in line
