"""Reads the texts of HTML: what the page shows before its script runs, and the labels of its elements."""

from html.parser import HTMLParser

from text_literal import TextLiteral

_TEXT_ATTRIBUTES = frozenset({"alt", "aria-description", "aria-label", "placeholder", "title"})
_CODE_ELEMENTS = frozenset({"script", "style"})


def read_html(source: str) -> list[TextLiteral]:
    """Return the texts of a file."""
    reader = _Reader()
    reader.feed(source)
    reader.close()
    return reader.literals


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.literals: list[TextLiteral] = []
        self._element = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._element = tag
        is_description = ("name", "description") in attrs
        for name, value in attrs:
            if name in _TEXT_ATTRIBUTES or (is_description and name == "content"):
                self._add(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._element = ""

    def handle_data(self, data: str) -> None:
        if self._element not in _CODE_ELEMENTS:
            self._add(data)

    def _add(self, text: str) -> None:
        literal = TextLiteral(self.getpos()[0], "text", " ".join(text.split()))
        if literal.has_letters:
            self.literals.append(literal)
