"""The messages that the guides explain are those of the programs, so that an operator who searches for one finds it."""

import re
from pathlib import Path

import pytest

TROUBLESHOOT = "docs/guides/troubleshoot.md"
PAGE = Path("services/viz/src/sector/viz/page")
TEXTS = "\n".join(
    [
        Path(".ci/texts.txt").read_text(),
        *(path.read_text() for path in sorted(PAGE.rglob("*.js")) if "vendor" not in path.parts),
    ]
)
_PLACEHOLDER = re.compile(r"…|'x'|\b[A-Z]\b")


def messages() -> list[str]:
    """Return the messages in the first column: the code spans of several words."""
    rows = [line for line in Path(TROUBLESHOOT).read_text().splitlines() if line.startswith("| ")]
    cells = [re.split(r"(?<!\\)\|", row)[1] for row in rows]
    return [span for cell in cells for span in re.findall(r"`([^`]+)`", cell) if len(span.split()) > 2]


def pattern_of(message: str) -> str:
    """Return a pattern for the text in the code. A setting that the message names may be a value there."""
    parts = _PLACEHOLDER.split(message)
    literals = [re.sub(r"([A-Z]+(?:_[A-Z]+)+)", r"(?:\1|\\{\\})", re.escape(part.strip())) for part in parts]
    return ".*".join(literals)


@pytest.mark.parametrize("message", messages())
def test_a_message_that_the_guide_explains_exists(message: str) -> None:
    assert re.search(pattern_of(message), TEXTS), pattern_of(message)


def test_the_guide_explains_messages() -> None:
    assert len(messages()) > 30
