"""`.ci/coverage_report.py`: functions without coverage must be explained."""

import json
from pathlib import Path

import pytest
from coverage_report import Report, explained, main, uncovered

PATH = "packages/state/src/sector/state/redis/connection.py"
COVERED: dict[str, object] = {"missing_lines": [], "missing_branches": []}
PAGE = "| part | why |\n|---|---|\n| `sector.state.redis.connection:Link.close` | Only a fault of the kernel gets there. |\n"


def report(**functions: dict[str, object]) -> Report:
    named = {name.replace("__", "."): region for name, region in functions.items()}
    content: Report = json.loads(json.dumps({"files": {PATH: {"functions": named}}}))
    return content


def test_missed_lines_and_branches_are_listed_by_function() -> None:
    functions = uncovered(
        report(
            Link__close={"missing_lines": [7], "missing_branches": []},
            Link__open={"missing_lines": [], "missing_branches": [[3, 5], [3, -1]]},
            Link__send=COVERED,
        )
    )
    assert [each.name for each in functions] == [
        "sector.state.redis.connection:Link.close",
        "sector.state.redis.connection:Link.open",
    ]
    assert str(functions[1]).endswith("lines [], branches ['3->5', '3->end']")


def test_module_level_code_is_listed_by_module() -> None:
    content: Report = json.loads(
        json.dumps(
            {
                "files": {
                    "services/api/src/sector/api/__init__.py": {
                        "functions": {"": {"missing_lines": [1], "missing_branches": []}}
                    }
                }
            }
        )
    )
    assert [each.name for each in uncovered(content)] == ["sector.api"]


def test_explanations_are_read_from_the_table_of_the_page() -> None:
    assert explained(PAGE) == {"sector.state.redis.connection:Link.close": "Only a fault of the kernel gets there."}


@pytest.mark.parametrize(
    ("function", "code", "text"),
    [
        ("Link__close", 0, "1 functions are not covered as a whole, 1 of them explained"),
        ("Link__open", 1, "not explained in {page}: sector.state.redis.connection:Link.open"),
    ],
)
def test_an_unexplained_function_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], function: str, code: int, text: str
) -> None:
    page, content = tmp_path / "coverage.md", tmp_path / "coverage.json"
    page.write_text(PAGE)
    content.write_text(json.dumps(report(**{function: {**COVERED, "missing_lines": [7]}})))
    assert main(str(content), str(page)) == code
    printed = capsys.readouterr()
    assert text.format(page=page) in printed.out + printed.err


def test_an_obsolete_explanation_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, content = tmp_path / "coverage.md", tmp_path / "coverage.json"
    page.write_text(PAGE)
    content.write_text(json.dumps(report(Link__close=COVERED)))
    assert main(str(content), str(page)) == 0
    assert "covered in this run, though" in capsys.readouterr().out
