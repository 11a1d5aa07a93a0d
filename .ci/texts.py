"""`.ci/texts.py`: compares the texts that users read with the list that was reviewed, `.ci/texts.txt`.

It collects log events, error texts, `--help` texts and other prose from what is shipped: Python code, the page, the TypeScript client
and Lua scripts; and what shell scripts print. A line of the list has the component, the kind and the text, with `{}` for each value.
`python .ci/texts.py --write` writes the list again; review what changed. A log event must be a constant of at most eight words, with
its values as `extra`. No text may contain a banned word.
"""

import argparse
import ast
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from html_texts import read_html
from javascript_texts import read_javascript
from lua_texts import read_lua
from python_texts import PythonReader
from ratchet import Source, read_sources, run
from shell_texts import read_shell
from text_literal import TextLiteral

_LIST = Path(".ci/texts.txt")
_PYTHON = ("packages/*/src/**/*.py", "services/*/src/**/*.py", "docker/**/*.py", "k8s/**/*.py")
_JAVASCRIPT = ("services/viz/src/**/*.js", "packages/typescript-client/src/**/*.ts")
_HTML = ("services/viz/src/**/*.html",)
_LUA = ("packages/*/src/**/*.lua", "services/*/src/**/*.lua")
_SHELL = ("pants", ".ci/*", "3rdparty/python/*", "docker/**/*", "k8s/**/*")
_GENERATED = frozenset({"packages/typescript-client/src/schema.ts"})
_SHEBANG = re.compile(r"#!.*sh\n")
_BANNED = re.compile(
    r"""\b(?:anew|any(?:body|one)|asked\ for|became|besides|begun|borrowed|came\ of|carried\ out|chosen|found(?:ed|ing|s)|gave
    |giv(?:en|es?)\ back|hands?\ over|heard|heed|hold\ together|is\ away|(?<!there\ )is\ no\b(?!\ longer)|kept|laps(?:es?|ed)|left\ out
    |nobody|none\ that|shall|taken|told|what\ is\ wrong|were\ it|(?:what|which|who|where)ever|who|whole|whom)\b""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, order=True)
class Text:
    """A text that users read. `kind`: log, error, help or text."""

    component: str
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.component} {self.kind}: {self.text}"


@dataclass(frozen=True, slots=True)
class Problem:
    """A text that breaks a rule, and where it is."""

    path: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


@dataclass(slots=True)
class Collection:
    """The texts of a checkout, and those that break a rule."""

    texts: set[Text]
    problems: list[Problem]

    def add(self, source: Source, literals: Iterable[TextLiteral]) -> None:
        """Add the texts of a file."""
        top, *folders = source.path.parts
        component = folders[0] if top in ("packages", "services") else top
        for literal in literals:
            text = literal.text.strip()
            self.texts.add(Text(component, literal.kind, text.replace("\n", "\\n")))
            if banned := _BANNED.search(text):
                self.add_problem(source, literal.line, f'"{banned[0]}" is a banned word: {text[:100]}')

    def add_problem(self, source: Source, line: int, reason: str) -> None:
        """Add a text that breaks a rule."""
        self.problems.append(Problem(str(source), line, reason))


_READERS: Sequence[tuple[Sequence[str], Callable[[str], Iterable[TextLiteral]]]] = (
    (_JAVASCRIPT, read_javascript),
    (_HTML, read_html),
    (_LUA, read_lua),
)


def collect(root: Path) -> tuple[list[Text], list[Problem]]:
    """Return the texts of a checkout, sorted, and those that break a rule.

    Raises SyntaxError, JavaScriptError or ShellError.
    """
    collection = Collection(set(), [])
    for source in read_sources(root, _PYTHON):
        reader = PythonReader()
        reader.visit(ast.parse(source.text))
        collection.add(source, reader.literals)
        for line, reason in reader.problems:
            collection.add_problem(source, line, reason)
    for patterns, read in _READERS:
        for source in read_sources(root, patterns):
            if str(source) not in _GENERATED:
                collection.add(source, read(source.text))
    for source in read_sources(root, _SHELL):
        if _SHEBANG.match(source.text):
            collection.add(source, read_shell(source.text))
    return sorted(collection.texts), collection.problems


def differences(listed: Iterable[str], texts: Iterable[Text]) -> list[str]:
    """Return a line for each text that is not in the list, and for each that is only there."""
    listed, collected = set(listed), set(map(str, texts))
    return [f"new: {line}" for line in sorted(collected - listed)] + [
        f"gone: {line}" for line in sorted(listed - collected)
    ]


def main(arguments: Sequence[str], root: Path) -> int:
    """Compare a checkout with its list, or write the list; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog=".ci/texts.py",
        description="Compares the user-visible texts of the shipped code with the reviewed list .ci/texts.txt.",
        epilog="example: python .ci/texts.py --write",
    )
    parser.add_argument(
        "--write", action="store_true", help="write the list; review the differences before you commit it"
    )
    write = parser.parse_args(arguments).write
    path = root / _LIST
    texts, problems = collect(root)
    if write:
        path.write_text("".join(f"{text}\n" for text in texts))
    listed = path.read_text().splitlines() if path.exists() else []
    changes = differences(listed, texts)
    for line in [*map(str, problems), *changes]:
        print(f"texts: {line}", file=sys.stderr)
    if changes:
        print(f"texts: run `python .ci/texts.py --write` and review what changed in {_LIST}", file=sys.stderr)
    if problems or changes:
        return 1
    print(f"texts: {len(texts)} texts are as in {_LIST}")
    return 0


if __name__ == "__main__":
    run(main)
