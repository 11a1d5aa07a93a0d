"""Reads the texts of JavaScript and TypeScript code: what the page shows, and the errors of page and client.

A string is a text because of its position: a message argument, an element's text or label, a property such as `title`, what a function
`describe…` or `format…` returns. A string in another position is one if it has two words, except where only code can be, such as a
selector.
"""

import re
from collections.abc import Iterator, Sequence

from javascript_tokens import Token, tokenize
from text_literal import PROSE, TextLiteral

_TEXT_NAMES = frozenset(
    """about alarm alt aria-description aria-label aria-valuetext detail innerText label message placeholder problem remedy text
    textContent texts title""".split()
)
"""Properties, attributes and variables that contain a text."""
_TEXT_NAME = re.compile(r"#?(?:describe|format)(?:[A-Z]\w*)?|(?:[A-Z_]+_)?TEXTS")
"""Functions that return a text, and tables of texts."""
_TEXT_ARGUMENTS = {
    "addMatch": 2,
    "alert": 0,
    "append": 0,
    "confirm": 0,
    "createCountField": 0,
    "createElement": 2,
    "createFactList": 0,
    "createForm": 0,
    "createListSection": 0,
    "fail": 0,
    "fillText": 0,
    "prepend": 0,
    "reload": 0,
    "replaceChildren": 0,
    "setStatus": 1,
    "setText": 1,
    "showError": 0,
}
"""The first argument that is a text."""
_ALL_FOLLOWING = frozenset({"append", "createElement", "createFactList", "prepend", "replaceChildren"})
"""Their further arguments are texts too."""
_TRANSFORMATIONS = frozenset({"flatMap", "map"})
"""What their callback returns is what the call is for."""
_CODE_NAMES = frozenset("Authorization authorization class className font media transform".split())
_CODE_NAME = re.compile(r"\w+Font")
_CODE_ARGUMENTS = frozenset(
    "closest createElement getContext mark matches matchMedia querySelector querySelectorAll".split()
)
_LOG_METHODS = frozenset("debug error info log warn".split())
_CONTROL = frozenset(
    "await case catch do else for if in new of return switch throw typeof void while with yield".split()
)
_COMPARISONS = ("===", "!==", "==", "!=")
_CODE = "code"
type _Kind = str | None
"""log, error or text; code, where no text can be; None if only the string itself decides."""


def read_javascript(source: str) -> list[TextLiteral]:
    """Return the texts of a file. Raises JavaScriptError."""
    reader = _Reader()
    reader.read(tokenize(source), None, "block", None)
    return reader.literals


class _Reader:
    def __init__(self) -> None:
        self.literals: list[TextLiteral] = []

    def read(self, items: Sequence[Token], kind: _Kind, container: str, returns: _Kind) -> None:
        """Read tokens. `container`: block, object, or the bracket around them. `returns`: the kind of what the function returns."""
        current, index, entry = kind, 0, 0
        while index < len(items):
            token, before = items[index], items[index - 1] if index else None
            rest = items[index + 1 : index + 3]
            if token.is_symbol(",", ";"):
                current, entry = kind, index + 1
            elif token.is_symbol("=", "+=") and before is not None:
                current = _kind_of_name(before, current)
            elif token.is_symbol(":") and container == "object" and index == entry + 1 and before is not None:
                current = _kind_of_name(before, kind)
            elif token.is_word("return"):
                current = returns
            elif token.kind == "word" and token.text not in _CONTROL and rest and rest[0].kind == "(":
                if len(rest) == 2 and rest[1].kind == "{":
                    self.read(rest[0].items, None, "(", None)
                    self.read(rest[1].items, None, "block", _kind_of_name(token, None))
                    current, index, entry = kind, index + 2, index + 3
                else:
                    self._read_call(items, index, rest[0], current)
                    index += 1
            elif token.kind == "string":
                is_key = container == "object" and index == entry and bool(rest) and rest[0].is_symbol(":")
                if not is_key and not _is_compared(before, rest):
                    self._add(token, current)
                self.read(token.items, current, "(", None)
            elif token.items and self._read_group(token, before, container, current, returns):
                current, entry = kind, index + 1
            index += 1

    def _read_group(self, group: Token, before: Token | None, container: str, kind: _Kind, returns: _Kind) -> bool:
        """Read what brackets contain. Returns whether it ends a statement."""
        if group.kind == "{":
            if _is_object(before, container):
                self.read(group.items, kind, "object", None)
                return False
            is_function = before is not None and before.is_symbol("=>")
            self.read(group.items, None, "block", kind if is_function else returns)
            return container == "block" and not is_function
        is_value = before is None or before.kind == "punctuation" or before.is_word("return")
        self.read(group.items, kind if is_value and not _is_optional(before) else None, group.kind, None)
        return False

    def _read_call(self, items: Sequence[Token], index: int, arguments: Token, current: _Kind) -> None:
        name = items[index].text
        is_log = name in _LOG_METHODS and index > 1 and items[index - 2].is_word("console")
        parts = list(_split(arguments.items))
        for number, part in enumerate(parts):
            kind = "log" if is_log and number == 0 else _kind_of_argument(name, number, parts)
            self.read(part, current if name in _TRANSFORMATIONS else kind, "(", None)

    def _add(self, token: Token, kind: _Kind) -> None:
        literal = TextLiteral(token.line, kind or "text", token.text)
        is_text = PROSE.search(token.text) is not None if kind is None else kind != _CODE
        if is_text and literal.has_letters:
            self.literals.append(literal)


def _kind_of_name(name: Token, default: _Kind) -> _Kind:
    """Return the kind of what is assigned to a name, or what a function of this name returns."""
    if default == _CODE:
        return default
    if name.text in _CODE_NAMES or _CODE_NAME.fullmatch(name.text):
        return _CODE
    return "text" if name.text in _TEXT_NAMES or _TEXT_NAME.fullmatch(name.text) else default


def _kind_of_argument(function: str, number: int, arguments: Sequence[Sequence[Token]]) -> _Kind:
    if function.endswith("Error") and function[:1].isupper() or function == "super":
        return "error"
    if function in _CODE_ARGUMENTS and number == 0:
        return _CODE
    if function in ("setAttribute", "emit") and number == 1:
        match arguments[0]:
            case [Token(kind="string", text=name)] if name in _TEXT_NAMES or (function, name) == ("emit", "error"):
                return "text"
        return None
    first = _TEXT_ARGUMENTS.get(function.lstrip("#"))
    is_text = first is not None and (number == first or (number > first and function in _ALL_FOLLOWING))
    return "text" if is_text else None


def _is_object(before: Token | None, container: str) -> bool:
    """Return whether a brace begins an object, and not a block."""
    if before is None:
        return container != "block"
    if before.kind == "punctuation":
        return before.text not in ("=>", ";", ">")
    return before.is_word("return", "throw", "of", "in", "default")


def _is_optional(before: Token | None) -> bool:
    return before is not None and before.is_symbol("?.")


def _is_compared(before: Token | None, rest: Sequence[Token]) -> bool:
    """Return whether a string is not a value itself: compared, a case, or the path of a module."""
    if before is not None and (before.is_symbol(*_COMPARISONS) or before.is_word("case", "from", "import")):
        return True
    return bool(rest) and (rest[0].is_symbol(*_COMPARISONS) or rest[0].is_word("in"))


def _split(items: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Yield the arguments of a call."""
    start = 0
    for index, token in enumerate(items):
        if token.is_symbol(","):
            yield items[start:index]
            start = index + 1
    yield items[start:]
