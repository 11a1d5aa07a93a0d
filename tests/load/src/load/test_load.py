"""Load tests of real services: a load that meets the objectives passes, and any other sets the exit code."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.metrics import scrape_metrics
from fixtures.processes import Processes, Service, environment, free_port
from fixtures.sim import LONG

# A machine that runs other tests beside this is slow.
PATIENT = ("--p99-ms", "20000", "--seen-ms", "20000", "--outcome-ticks", "100")
BRISK = ("--think-min", "0", "--think-max", "0.05", "--stay", "1", "--batch", "50")


@pytest.fixture
def api(processes: Processes, redis_url: str) -> Service:
    return processes.start("api", REDIS_URL=redis_url, RATE_PER_ADDRESS="0", REQUESTS_PER_ADDRESS="0")


@pytest.fixture
def worker(processes: Processes, redis_url: str) -> Service:
    return processes.start("worker", REDIS_URL=redis_url, TICK_DELAY="0.2", SIM_CONFIG=LONG.model_dump_json())


def load(*arguments: str, timeout_s: float = 90) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "load", "--headless", "--only-summary", *BRISK, *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )


def test_all_user_kinds_meet_the_objectives_and_write_reports(
    worker: Service, api: Service, processes: Processes, redis_url: str, tmp_path: Path
) -> None:
    viz = processes.start("viz", REDIS_URL=redis_url)
    reports = ("--html", str(tmp_path / "report.html"), "--csv", str(tmp_path / "load"))
    users = ("--players", "1", "--spectators", "1", "--streamers", "2", "--swarms", "1", "-u", "10", "-r", "10")
    run = load("--host", api.url, "--viz", viz.url, *users, "-t", "8s", *PATIENT, *reports)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count(" met") == 5
    for name in (
        "GET /snapshot",
        "GET /snapshot, ETag",
        "POST /orders",
        "POST /orders, 50 at once",
        "Socket.IO watch",
        "order to outcome",
        "GET /events/stream",
        "Socket.IO tick",
    ):
        assert f" {name} " in run.stderr, name
    assert "<html" in (tmp_path / "report.html").read_text()
    assert "order to outcome" in (tmp_path / "load_stats.csv").read_text()
    # What the load says that it did, the API says too.
    counted = scrape_metrics(api.url)
    assert counted["sector_orders_accepted_total"] > 100
    assert counted["sector_http_request_duration_seconds_count", "GET", "/snapshot", "304"] > 0


def test_a_missed_objective_sets_the_exit_code(worker: Service, api: Service) -> None:
    run = load(
        "--host",
        api.url,
        "--spectators",
        "1",
        "--players",
        "0",
        "--streamers",
        "0",
        "--swarms",
        "0",
        "-t",
        "2s",
        "--p99-ms",
        "0.5",
    )
    assert run.returncode == 1
    assert "requests: p99 of at most 0.5 ms" in run.stdout
    assert "NOT MET" in run.stdout


def test_acknowledged_orders_without_an_outcome_are_reported(worker: Service, api: Service) -> None:
    worker.end()
    players = ("--players", "1", "--spectators", "0", "--streamers", "0", "--swarms", "0", "-u", "3", "-r", "3")
    run = load("--host", api.url, *players, "-t", "15s", *PATIENT, "--patience", "1")
    assert run.returncode == 1
    lines = {line.strip() for line in run.stdout.splitlines()}
    assert any(line.startswith("requests that fail") and line.endswith(" met") for line in lines)
    assert any(line.startswith("acknowledged orders") and line.endswith("NOT MET") for line in lines)
    assert "no outcome, and no tick for 1 s" in run.stderr


def users_over_time(api: Service, folder: Path, *shape: str) -> list[int]:
    """Return how many users there were in each second, once there were any."""
    users = ("--players", "0", "--streamers", "0", "--swarms", "0", "-u", "10", "-r", "10")
    history = ("--csv", str(folder / "load"), "--csv-full-history")
    load("--host", api.url, *users, *shape, *PATIENT, *history)
    with (folder / "load_stats_history.csv").open() as file:
        counts = [int(row["User Count"]) for row in csv.DictReader(file) if row["Name"] == "Aggregated"]
    return [count for count in counts if count]


def test_a_ramp_adds_users_one_by_one(worker: Service, api: Service, tmp_path: Path) -> None:
    counts = users_over_time(api, tmp_path, "--shape", "ramp", "-t", "6s")
    assert counts == sorted(counts)
    assert counts[0] < 5 < counts[-1]


def test_a_spike_adds_users_and_removes_most_of_them(worker: Service, api: Service, tmp_path: Path) -> None:
    counts = users_over_time(api, tmp_path, "--shape", "spike", "-t", "10s")
    assert (counts[0], max(counts), counts[-1]) == (1, 10, 1)


def test_the_breakpoint_is_searched_and_printed(worker: Service, api: Service) -> None:
    spectators = ("--players", "0", "--spectators", "1", "--streamers", "0", "--swarms", "0", "-u", "20")
    run = load("--host", api.url, *spectators, "--shape", "breakpoint", "--step-time", "1.5", *PATIENT)
    assert run.returncode == 0, run.stdout + run.stderr
    steps = [line for line in run.stdout.splitlines() if " users: " in line]
    assert [int(line.split()[0]) for line in steps] == [8, 16, 20]
    assert "requests/s, of " in run.stdout.splitlines()[-1]


def test_distributed_processes_share_the_load(worker: Service, api: Service) -> None:
    port = free_port()
    where = ("--master-port", str(port), "--master-host", "127.0.0.1")
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "load", "--worker", *where],
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    try:
        master = (
            "--master",
            "--master-bind-host",
            "127.0.0.1",
            "--master-bind-port",
            str(port),
            "--expect-workers",
            "2",
        )
        run = load("--host", api.url, *master, "-u", "8", "-r", "8", "-t", "6s", *PATIENT)
        assert run.returncode == 0, run.stdout + run.stderr
        assert "acknowledged orders" in run.stdout
        for each in workers:
            _, errors = each.communicate(timeout=20)
            assert "Traceback" not in errors
    finally:
        for each in workers:
            each.kill()
            each.wait()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("--players", "0", "--spectators", "0", "--streamers", "0", "--swarms", "0"), "no users: set at least one"),
        (("--think-min", "3", "--think-max", "1"), "--think-min 3 must be from 0 to --think-max 1"),
        (("--batch", "1001"), "--batch 1001 must be from 1 to 1000"),
        (("--shape", "triangle"), "invalid choice: 'triangle'"),
        (("--shape", "ramp"), "add --run-time"),
    ],
)
def test_contradictory_options_are_rejected(wrong: tuple[str, ...], message: str) -> None:
    run = load("--host", "http://127.0.0.1:1", *wrong)
    assert run.returncode != 0
    assert message in run.stderr


def test_an_unreachable_host_fails_without_hanging() -> None:
    run = load("--host", f"http://127.0.0.1:{free_port()}", "-u", "5", "-r", "5", "-t", "3s", *PATIENT)
    assert run.returncode == 1
    assert "was not reached" in run.stderr


def test_help_lists_the_options() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "load", "--help"], env=environment(), capture_output=True, text=True, check=True
    )
    for word in ("--shape", "breakpoint", "--outcome-ticks", "--swarms", "SECTOR_TOKEN"):
        assert word in run.stdout
