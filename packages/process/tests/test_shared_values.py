"""Metrics of several processes on a disk without space: the processes continue, and /health reports what is missing."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from fixtures.metrics import scrape_metrics
from fixtures.processes import Processes, environment
from fixtures.small_disk import small_disk

FILE_KIB = 64
COUNT = """
from sector.process.metrics import exposition
from sector.process.shared_metrics import share_metrics
from prometheus_client import Counter
share_metrics()
counter = Counter("sector_sample", "A count.", ["number"])
for number in range({numbers}):
    counter.labels(f"{{number:_>60}}").inc()
counter.labels("0".rjust(60, "_")).inc()
shared = [line for line in exposition().decode().splitlines() if line.startswith("sector_sample_total")]
print(len(shared), counter.labels("1".rjust(60, "_"))._value.get())
"""


def count(folder: Path, numbers: int, before: str = "") -> tuple[int, float]:
    """Run `before` in a process, and count the given number of values once each.

    Return how many other processes see, and the second value.
    """
    settings = environment(PROMETHEUS_MULTIPROC_DIR=str(folder))
    command = [sys.executable, "-c", before + COUNT.format(numbers=numbers)]
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f"{done.returncode}: {done.stderr}"
    exported, value = done.stdout.split()
    return int(exported), float(value)


@pytest.mark.parametrize(
    ("kib", "numbers", "least", "most"),
    [(FILE_KIB * 64, 2_000, 2_000, 2_000), (FILE_KIB + 4, 2_000, 100, 1_999), (4, 10, 0, 0)],
    ids=["space for all", "space for some", "space for none"],
)
def test_values_without_space_are_not_shared(kib: int, numbers: int, least: int, most: int) -> None:
    with small_disk(kib) as folder:
        shared, value = count(folder, numbers)
    assert least <= shared <= most
    assert value == 1


def test_a_file_of_an_earlier_process_without_space_is_not_written() -> None:
    # An example is process 1 of a container that restarts.
    with small_disk(FILE_KIB // 2) as folder:
        left = f"import os; open(f'{folder}/counter_{{os.getpid()}}.db', 'wb').truncate({FILE_KIB * 1024})\n"
        assert count(folder, 10, left) == (0, 1)


@pytest.mark.parametrize("kib", [4, FILE_KIB + 4])
def test_a_process_without_space_continues_and_reports_it(kib: int, processes: Processes) -> None:
    with small_disk(kib) as folder:
        service = processes.start("api", module="sample_process", WORK="wait", PROMETHEUS_MULTIPROC_DIR=str(folder))
        scrape_metrics(service.url)
        health = httpx.get(f"{service.url}/health").json()
        assert health["ready"]
        fault = "PROMETHEUS_MULTIPROC_DIR has no free space, so /metrics lacks values of this process: free space on its disk"
        assert health["conditions"]["metrics"]["error"] == fault
        assert service.end() == 0
        assert service.log.read_text().count("No space left on device") == 1


def test_a_process_with_space_reports_no_error(processes: Processes, tmp_path: Path) -> None:
    service = processes.start("api", module="sample_process", WORK="wait", PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
    assert "metrics" not in httpx.get(f"{service.url}/health").json()["conditions"]
    assert service.end() == 0


def run(code: str, folder: Path) -> str:
    """Run code in a process that shares its metrics in `folder`, and return its output."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(PROMETHEUS_MULTIPROC_DIR=str(folder)),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


COUNT_ONE = """
from prometheus_client import Counter
import sector.process
from sector.process.metrics import exposition
from sector.process.shared_metrics import share_metrics
counter = Counter("sector_sample", "A count.")
counter.inc()
"""


def test_an_import_creates_no_folder(tmp_path: Path) -> None:
    run(COUNT_ONE, tmp_path / "metrics")
    assert list(tmp_path.iterdir()) == []


def test_values_from_before_the_sharing_count(tmp_path: Path) -> None:
    text = run(COUNT_ONE + "share_metrics()\ncounter.inc()\nprint(exposition().decode())", tmp_path / "metrics")
    assert "sector_sample_total 2.0" in text


def test_a_process_with_the_id_of_an_earlier_one_continues_its_values(tmp_path: Path) -> None:
    number = "import os; os.getpid = lambda: 1\n"
    code = number + COUNT_ONE + "share_metrics()\ncounter.inc()\nprint(exposition().decode())"
    run(code, tmp_path)
    assert "sector_sample_total 4.0" in run(code, tmp_path)
