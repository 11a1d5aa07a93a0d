"""Mutants, and the report of their verdicts."""

from mutation.__main__ import Report
from mutation.mutants import Mutant, mutants_of
from mutation.runner import Verdict

SOURCE = '''
LIMIT = 3


class Lease:
    def watch(self, key: str | None) -> tuple[str, ...]:
        """Return the command."""
        if key is None:
            raise ValueError("no key")
        return ("WATCH", key)
'''


def test_a_mutant_changes_one_function_once() -> None:
    mutants = mutants_of("lease", SOURCE)
    assert {mutant.function for mutant in mutants} == {"Lease.watch"}
    assert {mutant.change for mutant in mutants} >= {
        "if key is None: => if key is not None:",
        "if key is None: => if (key is None) and False:",
        'raise ValueError("no key") => pass',
        'return ("WATCH", key) => return ("WATCH",)',
        'return ("WATCH", key) => return (key,)',
        'return ("WATCH", key) => return ("XXWATCHXX", key)',
    }
    for mutant in mutants:
        before, after = SOURCE.splitlines(), mutant.code.splitlines()
        changed = [number for number, (old, new) in enumerate(zip(before, after, strict=True), 1) if old != new]
        assert len(changed) == 1
        assert changed[0] in mutant.lines


def test_strings_are_not_changed_in_case_alone() -> None:
    """Redis ignores the case of a command: no test could notice."""
    assert not any("watch" in mutant.code.split("def watch")[1] for mutant in mutants_of("lease", SOURCE))


def test_the_report_lists_unexpected_survivors() -> None:
    listed, unlisted = (Mutant("lease", "Lease.watch", range(1, 2), f"a => {name}", "") for name in "bc")
    report = Report({("lease", "Lease.watch", "a => b"): "It only costs time."})
    for mutant, verdict in (
        (listed, Verdict.SURVIVED),
        (unlisted, Verdict.UNCOVERED),
        *((listed, Verdict.KILLED),) * 2,
    ):
        report.add(mutant, verdict)
    assert report.percent == 50
    assert report.new_survivors == [unlisted]
    assert "| lease | 4 | 2 | 0 | 2 | 50.0 |" in report.text()
    assert "a => b\n    It only costs time." in report.text()
    assert "'''a => c'''" in report.new_survivors_toml()
