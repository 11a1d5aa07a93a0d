"""Starts worlds."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from running_world import Standalone, Start


@pytest.fixture
def standalone(tmp_path: Path) -> Iterator[Start]:
    """Starts worlds, and ends those that are left."""
    started: list[Standalone] = []

    def start(*arguments: str, **told: str) -> Standalone:
        started.append(
            Standalone(
                tmp_path / f"standalone-{len(started)}.log",
                "--tick-delay=0.1",
                "--status-interval=0.2",
                *arguments,
                **told,
            )
        )
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.send_signal(signal.SIGTERM)
            each.ends()
