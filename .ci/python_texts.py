"""Reads the texts of Python code: log events, error texts, `--help` texts and other prose."""

import ast
import re
from collections.abc import Iterable

from text_literal import PROSE, TextLiteral

MAX_EVENT_WORDS = 8
_LOG_METHODS = frozenset("debug info warning error exception critical log".split())
_LOGGERS = frozenset(("log", "logger", "logging"))
_HELP_CALLS = frozenset("ArgumentParser add_argument add_parser add_argument_group Field".split())
_METRIC_CALLS = frozenset("Counter Gauge Histogram Info Summary MetricFamily".split())
_RESERVED = frozenset(
    """args asctime created event exc_info exc_text filename funcName level levelname levelno lineno message module msecs msg name
    pathname process processName relativeCreated service stack_info taskName thread threadName""".split()
)
"""Fields that belong to a record of `logging`, or to each line of our log."""
_FORMAT = re.compile(r"%(?:\.\d+)?[sdgrfi]")


class PythonReader(ast.NodeVisitor):
    """Collects the texts of a module, and the log events that break a rule: the line of each, and the rule."""

    def __init__(self) -> None:
        self.literals: list[TextLiteral] = []
        self.problems: list[tuple[int, str]] = []
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
        elif not PROSE.search(text):
            return
        self.literals.append(TextLiteral(node.lineno, self._kind, text))

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
        self.problems.append((node.lineno, reason))


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
