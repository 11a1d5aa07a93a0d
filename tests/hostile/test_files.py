"""An unusable file ends a process with one line that names it, or is reported while the process runs. Nothing hangs."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from jwt.utils import base64url_encode

from fixtures.certificates import self_signed
from fixtures.file_modes import respect_modes
from fixtures.file_states import FILE_STATES, remove
from fixtures.long import LONG
from fixtures.metrics import wait_for_metrics
from fixtures.processes import Processes, environment, free_base, free_port, run_module
from fixtures.sim import Sim
from fixtures.tokens import SECRET, bearer_header, create_token
from fixtures.waiting import wait_until
from hostile.files import AT_RUN_TIME, COMMANDS, OF_METRICS, SETTINGS, SOCKETS, FileCase

_WITHIN_S = 60
SERVICES = ("viz", "api", "worker", "bot", "standalone")
_MAP = "P 0 0 1 50 5\nP 3 4 2 50 5\n"
NOTE = {"type": "note", "faction": "Crimson", "text": "hello"}


@pytest.fixture
def processes(processes: Processes) -> Processes:
    """Services for which the modes of files hold, as in their images."""
    processes.respects_modes = True
    return processes


def check_line(text: str, name: str) -> str:
    """Return the one line that a process printed: it has the name of the file, and nothing of a library in it."""
    (line,) = text.splitlines()
    assert line.isprintable()
    assert name in line
    assert not re.search(r"Errno|Traceback|Error\b", line), line
    return line


@pytest.mark.parametrize("case", SETTINGS if LONG else SETTINGS[::16], ids=str)
def test_an_unusable_file_ends_a_service_with_2(case: FileCase, processes: Processes, tmp_path: Path) -> None:
    path = tmp_path / "hostile"
    FILE_STATES[case.state](path)
    value = case.value.format(file=path, certificate=self_signed(tmp_path))
    if case.target == "standalone":
        words = ("--port-base", str(free_base()))
        ended = run_module("sector.standalone", *words, settings={case.name: value}, respects_modes=True)
        code, text = ended.returncode, ended.stdout + ended.stderr
    else:
        # (in lower case: the fixture would put another user into REDIS_URL)
        name = case.name.lower() if case.name == "REDIS_URL" else case.name
        service = processes.start(case.target, wait=False, **{name: value})
        code, text = service.process.wait(timeout=_WITHIN_S), service.log.read_text()
    assert code == 2, text
    line = check_line(text, path.name)
    assert line.startswith(f"wrong setting {case.name}=")
    assert "Allowed: " in line


@pytest.mark.parametrize("service", SERVICES if LONG else SERVICES[:1])
def test_a_pipe_as_certificate_file_is_rejected(service: str, tmp_path: Path) -> None:
    # Not forked: some libraries read it when they are imported.
    path = tmp_path / "hostile"
    FILE_STATES["a pipe without a writer"](path)
    command = [sys.executable, "-m", f"sector.{service}"]
    settings = environment(SSL_CERT_FILE=str(path))
    ended = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=_WITHIN_S, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert check_line(ended.stderr, path.name).startswith("wrong setting SSL_CERT_FILE=")


@pytest.mark.parametrize("case", COMMANDS if LONG else COMMANDS[::16], ids=str)
def test_a_command_reports_an_unusable_file_in_one_line(case: FileCase, redis_url: str, tmp_path: Path) -> None:
    arguments, _, beside = case.value.partition(" (")
    path = tmp_path / (beside.removesuffix(")") or "hostile")
    path.parent.mkdir(exist_ok=True)
    FILE_STATES[case.state](path)
    (tmp_path / "map").write_text(_MAP)
    words = arguments.format(file=path, base=free_base()).split()
    settings = {"REDIS_URL": redis_url} if case.target == "sector.state" else {}
    ended = run_module(case.target, *words, settings=settings, folder=tmp_path, respects_modes=True)
    assert ended.returncode in case.codes, ended.stderr
    assert ended.stdout == ""
    check_line(ended.stderr, "the map" if case.name == "the map" else path.name)


@pytest.mark.parametrize("state", SOCKETS if LONG else SOCKETS[::9])
def test_an_invalid_redis_socket_is_reported_in_health(state: str, processes: Processes, tmp_path: Path) -> None:
    path = tmp_path / "hostile"
    FILE_STATES[state](path)
    started_ms = time.time() * 1000 - 1
    for name in ("api", "viz", "worker"):
        service = processes.start(name, wait=False, redis_url=f"unix://{path}?db=0")
        health = service.wait_for(lambda health: "unreachable" in str(health["conditions"]), "without Redis")
        assert [each for each in health["conditions"].values() if not each["ok"] and each["since_ms"] >= started_ms]
        assert not health["ready"]
        assert service.end() == 0
        assert "Traceback" not in service.log.read_text()


def test_loaded_keys_stay_valid_if_the_key_file_breaks(
    sim: Sim, processes: Processes, redis_url: str, tmp_path: Path
) -> None:
    assert sim.lease.epoch == 1
    path = tmp_path / "keys.json"
    key = {"kty": "oct", "kid": "one", "k": base64url_encode(SECRET.encode()).decode()}
    path.write_text(json.dumps({"keys": [key]}))
    api = processes.start("api", REDIS_URL=redis_url, AUTH_JWKS=str(path))
    held = bearer_header(create_token("Crimson", secret=SECRET))
    for state in AT_RUN_TIME if LONG else AT_RUN_TIME[::4]:
        before_ms = time.time() * 1000 - 1
        before = path.rename(tmp_path / "before")
        FILE_STATES[state](path)
        api.wait_for_fault("keys", "AUTH_JWKS cannot be used: ")
        health = api.wait_for(lambda health: health["ready"], "ready")
        assert health["conditions"]["keys"]["since_ms"] >= before_ms, state
        assert httpx.post(f"{api.url}/orders", json=NOTE, headers=held).status_code == 202, state
        remove(path)
        before.rename(path)
        api.wait_for(lambda health: health["conditions"]["keys"]["ok"], "without a fault")
    assert api.end() == 0
    assert "Traceback" not in api.log.read_text()


@pytest.mark.parametrize("state", sorted(OF_METRICS) if LONG else sorted(OF_METRICS)[::9])
def test_a_damaged_metrics_file_hides_no_others(
    state: str, processes: Processes, redis_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "metrics"
    folder.mkdir()
    for name in ("counter_999999999.db", "gauge_livesum_999999998.db", "gauge_livesum_x.db"):
        FILE_STATES[state](folder / name)
    viz = processes.start("viz", wait=False, REDIS_URL=redis_url, PROMETHEUS_MULTIPROC_DIR=str(folder))
    wait_for_metrics(viz.url, lambda metrics: "sector_" in str(metrics), "metrics of its own")
    assert viz.end() == 0
    assert "Traceback" not in viz.log.read_text()


@pytest.mark.parametrize("state", sorted(OF_METRICS) if LONG else sorted(OF_METRICS)[1::9])
def test_a_stale_metrics_file_of_the_same_pid_is_replaced(state: str, tmp_path: Path) -> None:
    log, port = tmp_path / "log", free_port()
    folder = tmp_path / "metrics"
    folder.mkdir()
    settings = environment(
        HOST="127.0.0.1", PORT=str(port), REDIS_URL="redis://127.0.0.1:1", PROMETHEUS_MULTIPROC_DIR=str(folder)
    )
    # It has its id before the file is there, and reads it afterwards.
    command = ["sh", "-c", 'read _ && exec "$0" "$@"', sys.executable, "-m", "sector.viz"]
    with log.open("wb") as output, subprocess.Popen(
        command, env=settings, stdin=subprocess.PIPE, stderr=output, preexec_fn=respect_modes
    ) as process:
        path = folder / f"counter_{process.pid}.db"
        FILE_STATES[state](path)
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.close()
        try:
            if state == "a folder":
                assert process.wait(timeout=_WITHIN_S) == 2
                check_line(log.read_text(), path.name)
                return
            answer = wait_until(
                lambda: httpx.get(f"http://127.0.0.1:{port}/metrics"), "metrics", errors=(httpx.TransportError,)
            )
            assert answer.status_code == 200
            process.terminate()
            assert process.wait(timeout=_WITHIN_S) == 0
        finally:
            process.kill()
    assert "Traceback" not in log.read_text()
