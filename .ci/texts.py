"""`.ci/texts.py`: compares the texts that users read with the list that was reviewed, `.ci/texts.txt`.

It collects log events, error texts, `--help` texts and other prose from the shipped Python code. A line of the list has the
component, the kind and the text, with `{}` for each value. `python .ci/texts.py --write` writes the list again; review what changed.
A log event must be a constant of at most eight words, with its values as `extra`. No text may contain a banned word.
"""

import argparse
import ast
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

MAX_EVENT_WORDS = 8
_LIST = Path(".ci/texts.txt")
_CODE = ("packages/*/src", "services/*/src", "docker", "k8s")
_LOG_METHODS = frozenset("debug info warning error exception critical log".split())
_LOGGERS = frozenset(("log", "logger", "logging"))
_HELP_CALLS = frozenset("ArgumentParser add_argument add_parser add_argument_group Field".split())
_METRIC_CALLS = frozenset("Counter Gauge Histogram Info Summary MetricFamily".split())
_RESERVED = frozenset(
    """args asctime created event exc_info exc_text filename funcName level levelname levelno lineno message module msecs msg name
    pathname process processName relativeCreated service stack_info taskName thread threadName""".split()
)
"""Fields that belong to a record of `logging`, or to each line of our log."""
_PROSE = re.compile(r"[A-Za-z]{2,}\W{0,3} \W{0,3}(?:\{\}|[A-Za-z]{2,})|\{\}\W{0,2} [a-z]{2,} ?")
_FORMAT = re.compile(r"%(?:\.\d+)?[sdgrfi]")
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


class Collector(ast.NodeVisitor):
    """Collects the texts of a module, and those that break a rule."""

    def __init__(self, component: str, path: str) -> None:
        self.texts: set[Text] = set()
        self.problems: list[Problem] = []
        self._component = component
        self._path = path
        self._kind = "text"

    def visit_Expr(self, node: ast.Expr) -> None:
        # A string alone is a docstring.
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        self._visit_as("error", ast.iter_child_nodes(node))

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        is_error = any(_name(base).endswith(("Error", "Exception")) for base in node.bases)
        self._visit_as("error" if is_error else self._kind, ast.iter_child_nodes(node))

    def visit_Call(self, node: ast.Call) -> None:
        name = _name(node.func)
        if name in _METRIC_CALLS or name.endswith("MetricFamily"):
            return
        if name in _HELP_CALLS:
            self._visit_as("help", ast.iter_child_nodes(node))
        elif _is_log(node.func):
            self._check_event(node)
            self._visit_as("log", node.args[:1])
            self._visit_as("text", [*node.args[1:], *node.keywords])
        elif name.endswith(("Error", "Problem")) or name == "error":
            self._visit_as("error", ast.iter_child_nodes(node))
        else:
            self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        if "extra" in map(_name, node.targets):
            self._check_fields(node.value)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if _name(node.target) == "extra" and node.value is not None:
            self._check_fields(node.value)
        self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            is_event = isinstance(key, ast.Constant) and key.value == "event"
            self._visit_as("log" if is_event else self._kind, [value])

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._add(node, node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self._add(node, "".join(_part(value) for value in node.values))
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                self.visit(value.value)

    def _visit_as(self, kind: str, nodes: Iterable[ast.AST]) -> None:
        before, self._kind = self._kind, kind
        for node in nodes:
            self.visit(node)
        self._kind = before

    def _add(self, node: ast.expr, text: str) -> None:
        if self._kind == "log":
            text = _FORMAT.sub("{}", text)
        elif not _PROSE.search(text):
            return
        self.texts.add(Text(self._component, self._kind, text.strip().replace("\n", "\\n")))
        if banned := _BANNED.search(text):
            self._problem(node, f'"{banned[0]}" is a banned word: {text.strip()[:100]}')

    def _check_event(self, call: ast.Call) -> None:
        event = call.args[0] if call.args else None
        if not (isinstance(event, ast.Constant) and isinstance(event.value, str)):
            # A constant of the module is checked where it is defined.
            if not isinstance(event, ast.Name):
                self._problem(call, "a log event must be a constant: pass its values as `extra`")
        elif len(call.args) > 1 or _FORMAT.search(event.value):
            self._problem(call, "a log event must not contain values: pass them as `extra`")
        elif len(event.value.split()) > MAX_EVENT_WORDS:
            self._problem(call, f"a log event has at most {MAX_EVENT_WORDS} words")
        for keyword in call.keywords:
            if keyword.arg == "extra":
                self._check_fields(keyword.value)

    def _check_fields(self, extra: ast.expr) -> None:
        for fields in ast.walk(extra):
            for key in fields.keys if isinstance(fields, ast.Dict) else ():
                if isinstance(key, ast.Constant) and key.value in _RESERVED:
                    self._problem(extra, f"{key.value!r} in `extra` is reserved by the log")

    def _problem(self, node: ast.expr, reason: str) -> None:
        self.problems.append(Problem(self._path, node.lineno, reason))


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _is_log(function: ast.expr) -> bool:
    match function:
        case ast.Attribute(value=owner, attr=method):
            return method in _LOG_METHODS and _name(owner).strip("_") in _LOGGERS
        case _:
            return False


def _part(value: ast.expr) -> str:
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else "{}"


def collect(root: Path) -> tuple[list[Text], list[Problem]]:
    """Return the texts of a checkout, sorted, and those that break a rule. Raises SyntaxError."""
    texts: set[Text] = set()
    problems: list[Problem] = []
    for path in _files(root):
        relative = path.relative_to(root)
        component = relative.parts[1] if relative.parts[0] in ("packages", "services") else relative.parts[0]
        collector = Collector(component, str(relative))
        collector.visit(ast.parse(path.read_text()))
        texts |= collector.texts
        problems += collector.problems
    return sorted(texts), problems


def _files(root: Path) -> Iterator[Path]:
    for pattern in _CODE:
        for folder in sorted(root.glob(pattern)):
            yield from (path for path in sorted(folder.rglob("*.py")) if "node_modules" not in path.parts)


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
    sys.exit(main(sys.argv[1:], Path(__file__).resolve().parent.parent))
