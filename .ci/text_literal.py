"""A string of a source file that users read, as the readers of `.ci/texts.py` return it."""

import re
from dataclasses import dataclass

PROSE = re.compile(r"[A-Za-z]{2,}\W{0,3} \W{0,3}(?:\{\}|[A-Za-z]{2,})|\{\}\W{0,2} [a-z]{2,} ?")
"""Two words, or a value and a word: a text, wherever it is."""
_LETTER = re.compile(r"[A-Za-z]")


@dataclass(frozen=True, slots=True)
class TextLiteral:
    """A text, with `{}` for each value, and the line where it is. `kind`: log, error, help or text."""

    line: int
    kind: str
    text: str

    @property
    def has_letters(self) -> bool:
        """Whether the text has more than symbols and values."""
        return _LETTER.search(self.text.replace("{}", "")) is not None
