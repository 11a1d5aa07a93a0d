"""Splits shell scripts into words and operators, as POSIX (Shell Command Language, 2.3) does. Here-documents are not supported."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_OPERATOR = re.compile(r"\n|;;|;|&&|&|\|\||\||\(|\)")
_REDIRECTION = re.compile(r"(\d*)(>>|>&|>\||>|<&|<>|<(?!<))[ \t]*")
_PARAMETER = re.compile(r"\$(?:\w+|[@*#?$!-])")
_SKIP = re.compile(r"(?:[ \t]|\\\n|#[^\n]*)+")
_PLAIN = re.compile(r"[^\s\\'\"$`;&|()<>]+")


class ShellError(Exception):
    """A script that cannot be split into words."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")


@dataclass(slots=True)
class Word:
    """A word or an operator. `text` has `{}` for each value; `scripts` has the commands that are substituted."""

    line: int
    text: str = ""
    is_operator: bool = False
    redirection: str = ""
    """The redirection of which this is the target, such as `>&` or `2>`."""
    is_all_arguments: bool = False
    """Whether it contains all arguments of the function or script."""
    scripts: list[Sequence["Word"]] = field(default_factory=list)


def split_shell(source: str) -> list[Word]:
    """Return the words and operators of a script. Raises ShellError."""
    return _Splitter(source).read_script(is_substitution=False)


class _Splitter:
    def __init__(self, source: str) -> None:
        self._source = source
        self._position = 0

    def read_script(self, *, is_substitution: bool) -> list[Word]:
        """Return the words until the end, or until the parenthesis that ends a substitution."""
        words, depth = list[Word](), 0
        while True:
            self._accept(_SKIP)
            if self._position == len(self._source):
                if is_substitution:
                    raise self._error("a substitution is not closed")
                return words
            line = self._line
            if operator := self._accept(_OPERATOR):
                depth += {"(": 1, ")": -1}.get(operator[0], 0)
                if is_substitution and depth < 0:
                    return words
                words.append(Word(line, operator[0], is_operator=True))
                continue
            redirection = self._accept(_REDIRECTION)
            word = self._read_word()
            word.redirection = redirection[1] + redirection[2] if redirection else ""
            words.append(word)

    @property
    def _line(self) -> int:
        return self._source.count("\n", 0, self._position) + 1

    def _error(self, problem: str) -> ShellError:
        return ShellError(self._line, problem)

    def _accept(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self._source, self._position)
        if match:
            self._position = match.end()
        return match

    def _read_word(self) -> Word:
        word, start = Word(self._line), self._position
        while self._position < len(self._source):
            character = self._source[self._position]
            if plain := self._accept(_PLAIN):
                word.text += plain[0]
            elif character == "\\":
                word.text += self._source[self._position + 1 : self._position + 2].replace("\n", "")
                self._position += 2
            elif character == "'":
                word.text += self._read_to("'")
            elif character == '"':
                self._position += 1
                self._read_quoted(word)
            elif character in "$`":
                self._read_expansion(word)
            else:
                break
        if self._position == start:
            raise self._error(f"unexpected {self._source[start : start + 2]!r}")
        return word

    def _read_to(self, end: str) -> str:
        """Return what stands between the character here and the next `end`."""
        stop = self._source.find(end, self._position + 1)
        if stop < 0:
            raise self._error(f"{end} is missing")
        text = self._source[self._position + 1 : stop]
        self._position = stop + 1
        return text

    def _read_quoted(self, word: Word) -> None:
        while (character := self._source[self._position : self._position + 1]) != '"':
            if not character:
                raise self._error('" is missing')
            if character == "\\":
                text = self._source[self._position : self._position + 2]
                word.text += text[1:].replace("\n", "") if text[1:] in ("$", "`", '"', "\\", "\n") else text
                self._position += 2
            elif character in "$`":
                self._read_expansion(word)
            else:
                word.text += character
                self._position += 1
        self._position += 1

    def _read_expansion(self, word: Word) -> None:
        if self._source.startswith("$((", self._position):
            self._skip_to_end_of("(", ")")
        elif self._source.startswith("$(", self._position):
            self._position += 2
            word.scripts.append(self.read_script(is_substitution=True))
        elif self._source.startswith("${", self._position):
            self._skip_to_end_of("{", "}")
        elif self._source.startswith("`", self._position):
            raise self._error("write $( ) instead of ` `")
        elif parameter := self._accept(_PARAMETER):
            word.is_all_arguments |= parameter[0] in ("$*", "$@")
        else:
            self._position += 1
            word.text += "$"
            return
        word.text += "{}"

    def _skip_to_end_of(self, opening: str, closing: str) -> None:
        depth = 0
        for position in range(self._position + 1, len(self._source)):
            depth += {opening: 1, closing: -1}.get(self._source[position], 0)
            if depth == 0:
                self._position = position + 1
                return
        raise self._error(f"{closing} is missing")
