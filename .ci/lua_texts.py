"""Reads the texts of Lua scripts: the errors with which a script replies."""

import re
from collections.abc import Iterator

from text_literal import TextLiteral

_TOKEN = re.compile(
    r"""(?P<skip>\s+|--\[\[.*?\]\]|--[^\n]*)
    |(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\[\[.*?\]\])
    |(?P<word>\w+)
    |(?P<symbol>\.\.|==|.)""",
    re.VERBOSE | re.DOTALL,
)
_ERROR_FUNCTIONS = frozenset({"error", "error_reply"})
_ERROR_FIELD = "err"
_CLOSING = {"(": ")", "{": "}", "[": "]"}


def read_lua(source: str) -> Iterator[TextLiteral]:
    """Yield the texts of a script."""
    tokens = [match for match in _TOKEN.finditer(source) if match.lastgroup != "skip"]
    for index, token in enumerate(tokens[:-1]):
        after = tokens[index + 1]
        is_call = token[0] in _ERROR_FUNCTIONS and (after[0] == "(" or after.lastgroup == "string")
        is_field = token[0] == _ERROR_FIELD and after[0] == "="
        if is_call or is_field:
            start = index + (1 if after.lastgroup == "string" else 2)
            literal = TextLiteral(source.count("\n", 0, token.start()) + 1, "error", _concatenate(tokens[start:]))
            if literal.has_letters:
                yield literal


def _concatenate(tokens: list[re.Match[str]]) -> str:
    """Return the text of an expression at the start of these tokens, with `{}` for each value."""
    text, closing = "", list[str]()
    for token in tokens:
        if not closing and (token[0] in (",", ";", *_CLOSING.values())):
            break
        if token[0] in _CLOSING:
            closing.append(_CLOSING[token[0]])
        elif closing and token[0] == closing[-1]:
            closing.pop()
        elif token.lastgroup == "string" and not closing:
            text += token[0].strip("[]") if token[0].startswith("[") else token[0][1:-1]
        elif token[0] != ".." and not closing and not text.endswith("{}"):
            text += "{}"
    return text
