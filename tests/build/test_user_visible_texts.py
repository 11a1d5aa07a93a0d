"""Each text that users read is in `.ci/texts.txt`, which is reviewed: log events, error texts, `--help` texts and faults."""

from pathlib import Path

from texts import main


def test_the_list_has_every_text_and_each_follows_the_rules() -> None:
    # What is wrong, and the command that writes the list again, are in the captured output.
    assert main([], Path.cwd()) == 0
