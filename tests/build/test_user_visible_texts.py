"""Each user-visible text is in the reviewed `.ci/texts.txt`: log events, error texts, `--help` texts and faults."""

from pathlib import Path

from texts import main


def test_the_list_has_every_text_and_each_follows_the_rules() -> None:
    # The captured output has the differences, and the command that updates the list.
    assert main([], Path.cwd()) == 0
