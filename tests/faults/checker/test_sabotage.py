"""Proof of the checker: without a part of the tick transaction, a run of the same length fails."""

from pathlib import Path

import pytest

from chaos import schedule, trial
from fixtures.long import LONG

SECONDS = 45 if LONG else 20


@pytest.mark.parametrize(
    ("sabotage", "broken"),
    [
        # A worker that lost its lease writes after its successor, so the stream has two histories.
        ("watch", {"chain", "replay"}),
        # Orders that were applied before the cursor moved are applied again.
        ("cursor", {"duplicated"}),
    ],
)
async def test_sabotage_fails_the_short_run(sabotage: str, broken: set[str], tmp_path: Path) -> None:
    kinds = schedule.KINDS["one"]
    report = await trial.run("one", SECONDS, 1, tmp_path, kinds=kinds, sabotage=sabotage, recovery_timeout_s=5)
    print(report.text())
    assert broken <= report.broken().keys(), report.text()
