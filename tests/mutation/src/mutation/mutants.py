"""The mutants of a module: each is the module with one small change in one function.

mutmut finds most of the changes. Three operators are added here, for code that consists of commands to a server: a statement is
removed, an element of a tuple or list is removed, and the condition of an `if` is forced to true or false.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import Mutation, MutationVisitor, deep_replace
from mutmut.mutation.mutators import mutation_operators, operator_string
from mutmut.mutation.pragma_handling import IgnoredCode


@dataclass(frozen=True, slots=True)
class Mutant:
    """`function`: its qualified name. `lines`: those of the changed code. `change`: the changed lines, before and after.

    `code` is the source of the whole module with the change.
    """

    module: str
    function: str
    lines: range
    change: str
    code: str


def mutants_of(module: str, source: str) -> list[Mutant]:
    """Return the mutants of a module, in the order of its lines."""
    wrapper = MetadataWrapper(cst.parse_module(source))
    visitor = _Visitor(_OPERATORS, IgnoredCode(set(), set(), set()))
    wrapper.visit(visitor)
    positions = wrapper.resolve(PositionProvider)
    names = _qualified_names(wrapper.module)
    mutants: list[Mutant] = []
    count: Counter[tuple[str, str]] = Counter()
    for mutation in visitor.mutations:
        function = mutation.contained_by_top_level_function
        if not isinstance(function, cst.FunctionDef):
            continue
        code = _mutated(wrapper.module, mutation)
        if code == source:
            continue
        span = positions[mutation.original_node]
        first, last = span.start.line, span.end.line
        if isinstance(mutation.original_node, cst.If):
            last = first
        elif first < positions[function.body.body[0]].start.line:
            # A default value: every call may use it.
            last = positions[function].end.line
        name, change = names[function], _change(source, code)
        count[name, change] += 1
        if (number := count[name, change]) > 1:
            change = f"{change} (#{number})"
        mutants.append(Mutant(module, name, range(first, last + 1), change, code))
    return sorted(mutants, key=lambda mutant: mutant.lines.start)


def _mutated(module: cst.Module, mutation: Mutation) -> str:
    mutated = deep_replace(module, mutation.original_node, mutation.mutated_node)
    assert isinstance(mutated, cst.Module)
    return mutated.code


def _change(before: str, after: str) -> str:
    """Return the lines that differ, on one line, as `before => after`."""
    old, new = before.splitlines(), after.splitlines()
    shorter = min(len(old), len(new))
    first = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    last = next((n for n in range(shorter - first) if old[-1 - n] != new[-1 - n]), shorter - first)
    return " => ".join(" ".join(" ".join(side[first : len(side) - last]).split()) for side in (old, new))


def _qualified_names(module: cst.Module) -> dict[cst.CSTNode, str]:
    names: dict[cst.CSTNode, str] = {}
    for statement in module.body:
        if isinstance(statement, cst.FunctionDef):
            names[statement] = statement.name.value
        elif isinstance(statement, cst.ClassDef):
            for method in statement.body.body:
                if isinstance(method, cst.FunctionDef):
                    names[method] = f"{statement.name.value}.{method.name.value}"
    return names


class _Visitor(MutationVisitor):
    def on_visit(self, node: cst.CSTNode) -> bool:
        # To unpack into fewer names always raises: that tests nothing.
        if isinstance(node, cst.AssignTarget) and isinstance(node.target, cst.Tuple):
            return False
        return super().on_visit(node)


def _shout_string(node: cst.BaseString) -> Iterable[cst.BaseString]:
    """Change a string, but not merely its case: Redis ignores the case of commands."""
    assert isinstance(node, cst.BaseString)
    yield from list(operator_string(node))[:1]


def _remove_statement(node: cst.SimpleStatementLine) -> Iterable[cst.SimpleStatementLine]:
    statement = node.body[0]
    documents = isinstance(statement, cst.Expr) and isinstance(statement.value, cst.BaseString)
    if len(node.body) == 1 and isinstance(statement, cst.Expr | cst.Raise) and not documents:
        yield node.with_changes(body=[cst.Pass()])


def _remove_element(node: cst.Tuple | cst.List) -> Iterable[cst.Tuple | cst.List]:
    if len(node.elements) > 1:
        for place in range(len(node.elements)):
            rest = [*node.elements[:place], *node.elements[place + 1 :]]
            if len(rest) == 1 and isinstance(node, cst.Tuple):
                rest = [rest[0].with_changes(comma=cst.Comma())]
            yield node.with_changes(elements=rest)


def _force_condition(node: cst.If) -> Iterable[cst.If]:
    condition = node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    space = cst.SimpleWhitespace(" ")
    for operator, literal in ((cst.And(), "False"), (cst.Or(), "True")):
        test = cst.BooleanOperation(left=condition, operator=operator, right=cst.Name(literal))
        yield node.with_changes(test=test, whitespace_before_test=space)


_OPERATORS: list[tuple[type, Callable[[Any], Iterable[cst.CSTNode]]]] = [
    *((kind, _shout_string if operator is operator_string else operator) for kind, operator in mutation_operators),
    (cst.SimpleStatementLine, _remove_statement),
    (cst.Tuple, _remove_element),
    (cst.List, _remove_element),
    (cst.If, _force_condition),
]
