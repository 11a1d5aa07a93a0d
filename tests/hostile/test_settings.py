"""An invalid setting ends every process with exit code 2 and one line, which names the setting and contains no secret."""

import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.long import LONG
from fixtures.processes import Processes, environment, free_base
from hostile.wrong_settings import ROWS, SECRET_PART

_WITHIN_S = 60


@pytest.mark.parametrize(("service", "name", "value", "message"), ROWS if LONG else ROWS[::4])
def test_an_invalid_setting_ends_the_process(
    processes: Processes, service: str, name: str, value: str, message: str
) -> None:
    if service == "standalone":
        text = _standalone(name, value)
    else:
        # In lower case, which means the same: the fixture would put another user into REDIS_URL.
        started = processes.start(service, wait=False, **{name.lower(): value})
        assert started.process.wait(timeout=_WITHIN_S) == 2
        text = started.log.read_text()
    (line,) = text.splitlines()
    assert line.startswith(f"wrong setting {name}=")
    assert message in line
    assert "Allowed: " in line
    assert SECRET_PART not in line
    assert line.isprintable()


def _standalone(name: str, value: str) -> str:
    command = [sys.executable, "-m", "sector.standalone", "--port-base", str(free_base())]
    ended = subprocess.run(
        command, env=environment(**{name: value}), capture_output=True, text=True, timeout=_WITHIN_S, check=False
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    return ended.stderr


def test_standalone_exits_with_2_if_a_child_rejects_a_setting(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sector.standalone", "--port-base", str(free_base()), "--data", str(tmp_path)]
    child_environment = environment(RATE_PER_TOKEN="many")
    ended = subprocess.run(
        command, env=child_environment, capture_output=True, text=True, timeout=_WITHIN_S, check=False
    )
    assert ended.returncode == 2
    assert "wrong setting RATE_PER_TOKEN='many'" in ended.stderr
    assert "api did not become ready and died 1 times" in ended.stderr
