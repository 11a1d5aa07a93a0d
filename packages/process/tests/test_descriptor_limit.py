"""The limit of file descriptors: a process raises it, and reports a setting that exceeds it."""

import resource
from pathlib import Path

import pytest

from fixtures.descriptor_limits import start_limited
from fixtures.metrics import wait_for_metrics
from fixtures.processes import Service, environment, free_port
from sector.process.connections import describe_shortage


@pytest.mark.parametrize(("soft", "hard", "raised"), [(128, 4096, 4096), (1024, 1024, 1024), (512, 3000, 3000)])
def test_a_process_raises_the_soft_limit_to_the_hard_one(soft: int, hard: int, raised: int, tmp_path: Path) -> None:
    port = free_port()
    process = start_limited("sample_process", environment(WORK="wait"), str(port), soft=soft, hard=hard)
    service = Service("sample", process, port, tmp_path / "none")
    wait_for_metrics(service.url, lambda metrics: metrics["sector_ready"] == 1, "it is ready")
    assert resource.prlimit(process.pid, resource.RLIMIT_NOFILE) == (raised, hard)
    assert service.end() == 0


@pytest.mark.parametrize(
    ("promised", "requested", "accepted", "text"),
    [
        (10_000, 0, 20_000, ""),
        (10_000, 0, 10_000, ""),
        (10_000, 100, 100, "MAX_STREAMS is 10000, and MAX_CONNECTIONS is 100: raise it, or lower MAX_STREAMS"),
        (10_000, 0, 256, "MAX_STREAMS is 10000, and 256 connections are accepted within the descriptor limit of "),
        (
            10_000,
            20_000,
            256,
            "MAX_STREAMS is 10000, and 256 connections are accepted within the descriptor limit of ",
        ),
    ],
)
def test_a_setting_above_the_limit_is_described(promised: int, requested: int, accepted: int, text: str) -> None:
    shortage = describe_shortage(("MAX_STREAMS", promised), requested, accepted)
    assert shortage.startswith(text)
    assert bool(shortage) is bool(text)
