"""Reads the texts of shell scripts: what `echo`, `printf` and functions that print their arguments show to the user.

Output that a pipe, a file or a substitution takes is data.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shell_words import Word, split_shell
from text_literal import PROSE, TextLiteral

_RESERVED = frozenset("! { } if then else elif fi do done while until case esac for in".split())
_ASSIGNMENT = re.compile(r"\w+=")
_FORMAT = re.compile(r"%[sdiu%]")


@dataclass(slots=True)
class Command:
    """A simple command: its words without assignments and redirections. `pipe`: whether a pipe takes its output."""

    words: list[Word]
    redirections: list[str]
    pipe: bool

    @property
    def name(self) -> str:
        """The first word."""
        return self.words[0].text if self.words else ""

    @property
    def is_to_stderr(self) -> bool:
        """Whether its output goes to standard error."""
        return ">&2" in self.redirections

    @property
    def is_data(self) -> bool:
        """Whether something else than the user takes its output."""
        return self.pipe or any(
            each.lstrip("1").startswith((">", ">>")) and each != ">&2" for each in self.redirections
        )

    def text(self) -> str:
        """Return what it prints."""
        arguments = [word.text for word in self.words[1:] if word.text not in ("-n", "-e")]
        if self.name != "printf" or not arguments:
            return " ".join(arguments).strip()
        values = iter(arguments[1:])
        text = _FORMAT.sub(lambda match: "%" if match[0] == "%%" else next(values, "{}"), arguments[0])
        return text.replace("\\n", "\n").strip()


def read_shell(source: str) -> list[TextLiteral]:
    """Return the texts of a script. Raises ShellError."""
    words = split_shell(source)
    printers = {"echo": "text", "printf": "text"} | _message_functions(words)
    return list(_texts(words, printers, is_data=False))


def _texts(words: Sequence[Word], printers: dict[str, str], *, is_data: bool) -> Iterator[TextLiteral]:
    for command in _commands(words):
        if command.name in printers:
            kind = "error" if command.is_to_stderr else printers[command.name]
            literal = TextLiteral(command.words[0].line, kind, command.text())
            # Standard output may be a path that another command takes.
            is_shown = kind == "error" or (PROSE.search(literal.text) and not (is_data or command.is_data))
            if is_shown and literal.has_letters:
                yield literal
    for word in words:
        for script in word.scripts:
            yield from _texts(script, printers, is_data=True)


def _message_functions(words: Sequence[Word]) -> dict[str, str]:
    """Return the functions that print their arguments, and the kind of text that each prints."""
    functions: dict[str, str] = {}
    size = -1
    # A function may call one that prints.
    while len(functions) > size:
        size = len(functions)
        for name, body in _functions(words):
            for command in _commands(body):
                is_printer = command.name in ("echo", "printf", *functions) and not command.is_data
                if is_printer and any(word.is_all_arguments for word in command.words):
                    is_error = command.is_to_stderr or functions.get(command.name) == "error"
                    functions[name] = "error" if is_error else "text"
    return functions


def _functions(words: Sequence[Word]) -> Iterator[tuple[str, Sequence[Word]]]:
    """Yield the name and the body of each function."""
    for index in range(len(words) - 3):
        name, opening, closing, start = words[index : index + 4]
        if opening.is_operator and (opening.text, closing.text, start.text) == ("(", ")", "{"):
            depth = 0
            for end in range(index + 3, len(words)):
                depth += {"{": 1, "}": -1}.get(words[end].text, 0)
                if depth == 0:
                    yield name.text, words[index + 4 : end]
                    break


def _commands(words: Sequence[Word]) -> Iterator[Command]:
    """Yield the simple commands."""
    command = Command([], [], pipe=False)
    for word in words:
        if word.is_operator:
            command.pipe = word.text == "|"
            yield command
            command = Command([], [], pipe=False)
        elif word.redirection:
            command.redirections.append(word.redirection + word.text)
        elif command.words or not (word.text in _RESERVED or _ASSIGNMENT.match(word.text)):
            command.words.append(word)
    yield command
