"""docs/reference/settings.md lists each setting of each process, with its default."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from pydantic.fields import FieldInfo

from sector.api.settings import ApiSettings
from sector.bot.settings import BotSettings
from sector.process.settings import Settings
from sector.viz.settings import VizSettings
from sector.worker.settings import WorkerSettings

PROCESSES: dict[str, type[Settings]] = {
    "worker": WorkerSettings,
    "API": ApiSettings,
    "viz": VizSettings,
    "bot": BotSettings,
}
EXPLAINED = {"PORT", "WORKER_ID", "SIM_CONFIG"}
"""Settings whose default depends on the process, or is more than one value."""


class Row(NamedTuple):
    """A row of a table: the name of a setting, its default, and the processes that have it."""

    name: str
    default: str
    processes: frozenset[str]


def rows() -> list[Row]:
    """Return the rows of all tables of settings."""
    page = Path("docs/reference/settings.md").read_text()
    cells = re.findall(r"^\| `([A-Z0-9_]+)` \| ([^|]*) \| ([\w, ]+) \| [^|]+ \|$", page, re.MULTILINE)
    return [
        Row(name, default, frozenset(PROCESSES if processes == "all" else processes.split(", ")))
        for name, default, processes in cells
    ]


def shown(field: FieldInfo) -> str:
    """Return a default as the page writes it."""
    if field.default in (None, "", ()):
        return "none"
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    return f"`{field.default:g}`" if isinstance(field.default, float) else f"`{field.default}`"


@pytest.mark.parametrize("process", PROCESSES)
def test_each_setting_has_a_row(process: str) -> None:
    listed = [row.name for row in rows() if process in row.processes]
    assert sorted(listed) == sorted(name.upper() for name in PROCESSES[process].model_fields)


@pytest.mark.parametrize("process", PROCESSES)
def test_defaults_are_those_of_the_code(process: str) -> None:
    fields = {name.upper(): field for name, field in PROCESSES[process].model_fields.items()}
    wrong = [
        f"{row.name}: {shown(fields[row.name])}, not {row.default}"
        for row in rows()
        if process in row.processes and row.name not in EXPLAINED
        if not row.default.startswith(shown(fields[row.name]))
    ]
    assert not wrong
