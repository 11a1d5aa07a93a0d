"""`.ci/coverage_report.py REPORT.json PAGE.md`: every function that is not covered as a whole has a row in the table of the page.

A row names a function as `package.module:Class.function` (of code outside of functions only the module), and has one sentence: why
no test covers it. Rows that are not needed are listed, and are no failure: whether a race comes about differs from run to run.
"""

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

_ROW = re.compile(r"^\| `([\w.]+(?::[\w.<>]+)?)` \| (.*\S) \|$", re.MULTILINE)


class Region(TypedDict):
    """What coverage reports of a function."""

    missing_lines: list[int]
    missing_branches: list[tuple[int, int]]


class File(TypedDict):
    """What coverage reports of a file."""

    functions: dict[str, Region]


class Report(TypedDict):
    """The JSON report of coverage, as far as it is read here."""

    files: dict[str, File]


@dataclass(frozen=True, slots=True)
class Uncovered:
    """A function that is not covered as a whole: the lines that no test runs, and the branches that none takes."""

    name: str
    path: str
    lines: tuple[int, ...]
    branches: tuple[tuple[int, int], ...]

    def __str__(self) -> str:
        branches = [f"{source}->{target}" if target > 0 else f"{source}->end" for source, target in self.branches]
        return f"{self.name} ({self.path}): lines {list(self.lines)}, branches {branches}"


def uncovered(report: Report) -> list[Uncovered]:
    """Return the functions of a report that are not covered as a whole."""
    return [
        Uncovered(
            f"{_module(path)}:{name}" if name else _module(path),
            path,
            tuple(region["missing_lines"]),
            tuple((source, target) for source, target in region["missing_branches"]),
        )
        for path, file in sorted(report["files"].items())
        for name, region in file["functions"].items()
        if region["missing_lines"] or region["missing_branches"]
    ]


def explained(page: str) -> Mapping[str, str]:
    """Return the sentence for each function in the tables of a page."""
    return dict(_ROW.findall(page))


def _module(path: str) -> str:
    return path.partition("/src/")[2].removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def main(report_path: str, page_path: str) -> int:
    """Print the functions without an explanation; returns the exit code."""
    functions = uncovered(json.loads(Path(report_path).read_text()))
    sentences = explained(Path(page_path).read_text())
    missing = [each for each in functions if each.name not in sentences]
    for each in missing:
        print(f"coverage: not covered, and not explained in {page_path}: {each}", file=sys.stderr)
    for name in sorted(sentences.keys() - {each.name for each in functions}):
        print(f"coverage: covered in this run, though {page_path} explains why it is not: {name}")
    explained_count = len(functions) - len(missing)
    print(f"coverage: {len(functions)} functions are not covered as a whole, {explained_count} of them explained")
    return 1 if missing else 0


def _parse(arguments: Sequence[str]) -> tuple[str, str]:
    parser = argparse.ArgumentParser(
        prog=".ci/coverage_report.py",
        description="Lists the functions that no test covers completely. Fails if the page does not explain one of them.",
        epilog="example: python .ci/coverage_report.py dist/coverage/coverage.json docs/project/coverage.md",
    )
    parser.add_argument("report", metavar="REPORT.json", help="the report of coverage.py, as JSON")
    parser.add_argument("page", metavar="PAGE.md", help="the page with a table of explanations")
    given = parser.parse_args(arguments)
    return given.report, given.page


if __name__ == "__main__":
    sys.exit(main(*_parse(sys.argv[1:])))
