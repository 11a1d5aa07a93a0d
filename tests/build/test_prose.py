"""`.ci/prose.py`: the rules for the prose of documents, and a baseline that only falls."""

import json
from pathlib import Path

import pytest
from prose import EXCEPTIONS, find_problems, main

LONG_SENTENCE = " ".join(["word"] * 31) + "."


def rules_of(text: str) -> list[str]:
    return [problem.rule for problem in find_problems(text)]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (LONG_SENTENCE, "long sentences"),
        (f"- {LONG_SENTENCE}", "long sentences"),
        ("Six words make up this sentence. " * 11, "long paragraphs"),
        (f"{'word ' * 19}{'w' * 10}.", "long lines"),
        (f"| a | {'word ' * 41}|", "long table cells"),
        ("Whoever asks gets a view.", "banned words"),
        ("It is told by an event.", "banned words"),
        ("The worker starts. Who holds a lease renews it.", "banned words"),
        ("| nobody | waits |", "banned words"),
        ("One thing; another thing; a third thing.", "chains"),
        ("The order was sent. It is applied. It was not lost. The lease is then renewed.", "passive sentences"),
    ],
)
def test_each_rule_is_applied(text: str, rule: str) -> None:
    assert rule in rules_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "The worker renews the lease. A worker without a lease waits.",
        f"```\n{LONG_SENTENCE} nobody\n```",
        f"~~~sh\n```\n{LONG_SENTENCE}\n~~~",
        f"<!-- nobody\n{LONG_SENTENCE} -->",
        "---\ntitle: nobody\n---\nText.",
        "`nobody` is a user, and `a; b; c` are commands.",
        "| " + "x" * 120 + " |",
        "Each line ends early.\n\n" * 30,
        "It is applied at once.",
    ],
)
def test_correct_text_has_no_problem(text: str) -> None:
    assert rules_of(text) == []


def test_a_problem_states_its_line() -> None:
    assert [str(problem) for problem in find_problems("# Title\n\nText.\n\nNobody waits.\n")] == [
        "5: banned words: Nobody"
    ]


def test_the_link_target_does_not_count() -> None:
    link = "[lease](" + "a-very-long-path/" * 3 + ")"
    assert rules_of(f"The worker renews the {link}.") == []


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose baseline allows two banned words in the README."""
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci/prose.json").write_text(json.dumps({"README.md: banned words": 2}))
    (tmp_path / "README.md").write_text("Nobody waits. Whoever asks gets it.\n")
    return tmp_path


def baseline_of(checkout: Path) -> dict[str, int]:
    baseline: dict[str, int] = json.loads((checkout / ".ci/prose.json").read_text())
    return baseline


def test_problems_of_the_baseline_pass(checkout: Path) -> None:
    assert main([], checkout) == 0


def test_an_additional_problem_fails_and_all_places_are_listed(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "README.md").write_text("Nobody waits. Whoever asks gets it. Nobody stays.\n")
    assert main([], checkout) == 1
    assert capsys.readouterr().err.count("README.md:1: banned words") == 3


def test_a_new_file_must_have_no_problem(checkout: Path) -> None:
    (checkout / "docs").mkdir()
    (checkout / "docs/new.md").write_text("Nobody waits.\n")
    assert main([], checkout) == 1


def test_the_baseline_falls_and_never_rises(checkout: Path) -> None:
    (checkout / "README.md").write_text(f"Nobody waits.\n\n{' '.join(['word'] * 19)}\n{LONG_SENTENCE[:90]}\n")
    assert main(["--write"], checkout) == 1
    assert baseline_of(checkout) == {"README.md: banned words": 1}


def test_there_are_few_exceptions_and_each_has_a_reason() -> None:
    assert len(EXCEPTIONS) <= 5
    assert all(EXCEPTIONS.values())
