"""Splits JavaScript and TypeScript code into tokens, grouped by brackets."""

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""(?P<skip>\s+|//[^\n]*|/\*.*?\*/)
    |(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    |(?P<number>\.?\d[\w.]*)
    |(?P<word>\#?[A-Za-z_$][\w$]*)
    |(?P<punctuation>=>|[!=]==?|[<>]=|\?\?=?|\?\.(?!\d)|&&=?|\|\|=?|\.\.\.|\*\*=?|\+\+|--|[-+*/%]=|.)""",
    re.VERBOSE | re.DOTALL,
)
_REGEX = re.compile(r"/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/\w*")
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_ESCAPE = re.compile(r"\\(u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|\n|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "\n": ""}
_WORDS_BEFORE_EXPRESSION = frozenset("return typeof case in of throw await yield void else do".split())


class JavaScriptError(Exception):
    """Code that cannot be split into tokens."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")


@dataclass(slots=True)
class Token:
    """A token. `kind`: string, number, word, punctuation, regex, or the bracket that opens a group.

    `text` of a string has `{}` for each value, and `items` has the expressions of these. `items` of a group is what it contains.
    """

    kind: str
    text: str
    line: int
    items: list["Token"] = field(default_factory=list)

    def is_symbol(self, *symbols: str) -> bool:
        """Return whether this is one of the symbols."""
        return self.kind == "punctuation" and self.text in symbols

    def is_word(self, *words: str) -> bool:
        """Return whether this is one of the words."""
        return self.kind == "word" and self.text in words


def tokenize(source: str) -> list[Token]:
    """Return the tokens of a file. Raises JavaScriptError."""
    return _Tokenizer(source).read_until("")


class _Tokenizer:
    def __init__(self, source: str) -> None:
        self._source = source
        self._position = 0

    @property
    def _line(self) -> int:
        return self._source.count("\n", 0, self._position) + 1

    def read_until(self, end: str) -> list[Token]:
        """Return the tokens before the bracket `end`, or all of them."""
        start, items = self._line, list[Token]()
        while self._position < len(self._source):
            if self._source[self._position] == "`":
                items.append(self._read_template())
            elif _is_regex_allowed(items) and (match := _REGEX.match(self._source, self._position)):
                items.append(Token("regex", match[0], self._line))
                self._position = match.end()
            else:
                kind, text = self._next()
                if text == end and kind == "punctuation":
                    return items
                self._append(items, kind, text)
        if end:
            raise JavaScriptError(start, f"a bracket is not closed by {end}")
        return items

    def _next(self) -> tuple[str, str]:
        match = _TOKEN.match(self._source, self._position)
        if match is None or match.lastgroup is None:
            raise JavaScriptError(self._line, "no token")
        self._position = match.end()
        return match.lastgroup, match[0]

    def _append(self, items: list[Token], kind: str, text: str) -> None:
        if kind == "skip":
            return
        line = self._line
        if kind == "string":
            items.append(Token(kind, _unescape(text[1:-1]), line))
        elif text in _CLOSING:
            items.append(Token(text, "", line, self.read_until(_CLOSING[text])))
        elif text in (*_CLOSING.values(), '"', "'"):
            raise JavaScriptError(line, f"unexpected {text}")
        else:
            items.append(Token(kind, text, line))

    def _read_template(self) -> Token:
        template, text = Token("string", "", self._line), ""
        self._position += 1
        while self._position < len(self._source):
            character = self._source[self._position]
            if self._source.startswith("${", self._position):
                self._position += 2
                template.items += [*self.read_until("}"), Token("punctuation", ",", self._line)]
                template.text += f"{_unescape(text)}{{}}"
                text = ""
            elif character == "`":
                self._position += 1
                template.text += _unescape(text)
                return template
            else:
                length = 2 if character == "\\" else 1
                text += self._source[self._position : self._position + length]
                self._position += length
        raise JavaScriptError(template.line, "a template is not closed")


def _is_regex_allowed(items: list[Token]) -> bool:
    """Return whether a slash begins a regular expression: after a value, it divides."""
    match items[-1:]:
        case [Token(kind="punctuation") as token]:
            return not token.is_symbol("++", "--")
        case [Token(kind="word", text=word)]:
            return word in _WORDS_BEFORE_EXPRESSION
        case previous:
            return not previous


def _unescape(text: str) -> str:
    return _ESCAPE.sub(_character, text)


def _character(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) > 1:
        return chr(int(code.strip("ux{}"), 16))
    return _ESCAPED.get(code, code)
