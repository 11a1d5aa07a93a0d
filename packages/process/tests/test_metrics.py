"""Metrics of every process, alone or shared with others at the same port."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from sample import start_sample

from fixtures.fork_server import Forked
from fixtures.metrics import Metrics, scrape_metrics
from fixtures.processes import environment, free_port
from fixtures.waiting import wait_until
from sector.process import shared_metrics
from sector.process.metrics import PacedText, exposition

SAMPLE = Path(__file__).with_name("sample_process.py")


def start(log: Path, port: int, work: str = "well", **settings: str) -> Forked | subprocess.Popen[bytes]:
    return start_sample(log, port, WORK=work, **settings).process


def read_metrics(port: int) -> Metrics:
    url = f"http://127.0.0.1:{port}"
    return wait_until(lambda: scrape_metrics(url), "it answers", errors=(httpx.TransportError,))


def test_a_process_exports_readiness_and_loop_lag(tmp_path: Path) -> None:
    port = free_port()
    process = start(tmp_path / "log", port, "unready")
    try:
        metrics = read_metrics(port)
        assert metrics["sector_ready"] == 0
        assert metrics["sector_condition", "thing"] == 0
        wait_until(lambda: read_metrics(port)["sector_event_loop_lag_seconds_count"] >= 1, "a second is over")
        assert read_metrics(port)["process_resident_memory_bytes"] > 2**20
    finally:
        process.terminate()
        assert process.wait(timeout=60) == 0


def test_processes_that_share_a_port_export_the_metrics_of_all(tmp_path: Path) -> None:
    port, folder = free_port(), tmp_path / "made" / "here"
    settings = {"REUSE_PORT": "true", "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    two = [start(tmp_path / "one", port, **settings), start(tmp_path / "two", port, "unready", **settings)]
    try:
        wait_until(lambda: len(list(folder.glob("gauge_livemin_*.db"))) == 2, "both are there")
        wait_until(lambda: read_metrics(port)["sector_ready"] == 0, "the unready process counts in every response")
        for _ in range(40):
            httpx.get(f"http://127.0.0.1:{port}/health/live")
        wait_until(lambda: read_metrics(port)["sector_event_loop_lag_seconds_count"] >= 2, "a second is over for both")
        two[1].kill()
        two[1].wait()
        wait_until(lambda: read_metrics(port)["sector_ready"] == 1, "who is dead counts no longer")
        assert read_metrics(port)["sector_event_loop_lag_seconds_count"] >= 2
        assert read_metrics(port)["sector_loop_lag_seconds_count"] >= 2, "the earlier name"
    finally:
        two[0].terminate()
        two[1].kill()
        assert two[0].wait(timeout=60) == 0
        two[1].wait()


def test_a_read_only_folder_of_metrics_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    variables = environment(
        WORK="well", SAMPLE_PORT=str(free_port()), PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "file" / "in")
    )
    run = subprocess.run([sys.executable, str(SAMPLE)], env=variables, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "wrong setting PROMETHEUS_MULTIPROC_DIR=" in run.stderr
    assert "Not a directory" in run.stderr


def test_an_empty_file_of_metrics_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    (tmp_path / f"counter_{2**30}.db").touch()
    assert exposition() == b""


def test_a_file_of_metrics_that_becomes_a_pipe_meanwhile_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    os.mkfifo(tmp_path / f"counter_{2**30}.db")
    monkeypatch.setattr(shared_metrics, "_size_of", lambda _: 1)
    assert exposition() == b""


def test_concurrent_removals_of_dead_processes_do_not_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    for dead in range(2**30, 2**30 + 300):
        (tmp_path / f"gauge_livesum_{dead}.db").touch()
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda _: exposition(), range(8))) == [b""] * 8
    assert list(tmp_path.iterdir()) == []


def test_metrics_take_at_most_a_tenth_of_the_time() -> None:
    now_s, renders = 0.0, 0

    def make() -> bytes:
        nonlocal now_s, renders
        now_s += 0.015
        renders += 1
        return b"%d" % renders

    paced = PacedText(make, lambda: now_s)
    for _ in range(100):
        paced.text()
    at_once = renders
    assert 10 < at_once < 20
    while now_s < 20:
        now_s += 0.001
        paced.text()
    assert 0.08 < (renders - at_once) * 0.015 / now_s < 0.12
    now_s += 60
    before = renders
    assert paced.text() == b"%d" % (before + 1), "asked for seldom it is new each time"


def test_an_unreadable_file_of_metrics_is_logged_and_skipped(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "counter_1.db").mkdir()
    command = [sys.executable, str(SAMPLE), str(port)]
    settings = environment(WORK="well", PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
    with subprocess.Popen(command, env=settings, stderr=subprocess.PIPE, text=True) as process:
        url = f"http://127.0.0.1:{port}"
        answers = [
            wait_until(lambda: httpx.get(f"{url}/metrics"), "it answers", errors=(httpx.TransportError,))
            for _ in range(3)
        ]
        assert [answer.status_code for answer in answers] == [200] * 3
        assert httpx.get(f"{url}/health/ready").status_code == 200
        process.terminate()
        _, log = process.communicate(timeout=60)
    assert [line for line in log.splitlines() if "counter_1.db" in line] == log.splitlines()
    assert len(log.splitlines()) == 1, "once"


@pytest.mark.parametrize(
    "content",
    [
        b"\x40" + bytes(7) + b"\x04" + bytes(3) + b"\xff" * 60,
        b"\x10\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff" + b"x" * 16,
        b"no",
        # This name ends beyond the file.
        bytes(range(256)),
    ],
)
def test_a_damaged_file_of_another_process_hides_no_other_metrics(tmp_path: Path, content: bytes) -> None:
    variables = environment(WORK="well", PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
    code = (
        "from prometheus_client import Counter; from pathlib import Path; from sector.process.metrics import exposition\n"
        "from sector.process.shared_metrics import share_metrics\n"
        "import sys, os\n"
        "share_metrics()\n"
        "Counter('sector_sample', 'A count.').inc(7)\n"
        "Path(os.environ['PROMETHEUS_MULTIPROC_DIR'], 'counter_1.db').write_bytes(bytes.fromhex(sys.argv[1]))\n"
        "print(exposition().decode())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, content.hex()],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "sector_sample_total 7.0" in done.stdout, done.stderr
    assert "unreadable metrics file skipped" in done.stderr
