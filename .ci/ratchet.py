"""What the checks of `.ci` share: the files of a checkout, the baseline of their counts, and the start as a command.

A check counts what the language rules exclude. Its baseline, a file beside it, states how many of each kind are allowed. `--write`
lowers the baseline after a change, and never raises it.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Never

_ROOT = Path(__file__).resolve().parent.parent
_IGNORED = frozenset({"__pycache__", "node_modules", "vendor"})


@dataclass(frozen=True, slots=True)
class Source:
    """A file of a checkout. `path` is relative to the checkout."""

    path: Path
    text: str

    def __str__(self) -> str:
        return self.path.as_posix()


def read_sources(root: Path, patterns: Iterable[str]) -> Iterator[Source]:
    """Yield each file that a pattern of `Path.glob` matches once, sorted by path. Third-party code and bytecode are left out."""
    for path in sorted({path for pattern in patterns for path in root.glob(pattern)}):
        relative = path.relative_to(root)
        if path.is_file() and _IGNORED.isdisjoint(relative.parts):
            yield Source(relative, path.read_text())


class Baseline:
    """The counts that a check allows. Until its file exists, all counts are allowed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._counts: dict[str, int] | None = json.loads(path.read_text()) if path.exists() else None

    @property
    def total(self) -> int:
        """The sum of the counts."""
        return sum((self._counts or {}).values())

    def allowed(self, name: str) -> int:
        """Return the count that is allowed of a kind."""
        return (self._counts or {}).get(name, 0)

    def exceeded(self, counts: Mapping[str, int]) -> list[str]:
        """Return the kinds of which there are more than allowed, sorted."""
        if self._counts is None:
            return []
        return sorted(name for name, count in counts.items() if count > self.allowed(name))

    def lower(self, counts: Mapping[str, int]) -> None:
        """Write the baseline again, with no count above the present one. The first baseline is the present counts."""
        allowed = counts if self._counts is None else self._counts
        lowered = {name: min(count, allowed.get(name, 0)) for name, count in sorted(counts.items())}
        self._counts = {name: count for name, count in lowered.items() if count}
        self._path.write_text(json.dumps(self._counts, indent=2) + "\n")


def run(check: Callable[[Sequence[str], Path], int]) -> Never:
    """Run a check on the checkout of this file, with the arguments of the command, and exit with its code."""
    sys.exit(check(sys.argv[1:], _ROOT))
