"""`.ci/names.py`: counts banned names and duplicate class names, and fails if their number grows.

It counts the names that the language rules ban in Python and Lua code, in the modules of the page, in manifests and in metrics. A count
above its baseline, `.ci/names.json`, fails, and each place is listed.
`.ci/names.py --write` lowers the baseline after a renaming. It never raises a count.
"""

import argparse
import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ratchet import Baseline, read_sources, run

BANNED = frozenset(
    """anew asked begun borrowed chosen followed found heard kept known made said seen served taken there told whole
    written""".split()
)
"""Past participles and adverbs. A name states the thing: `found` is a snapshot, a match, or a created sim."""
_BANNED_PARTS = re.compile(r"(?:^|_)most_|_anew$|_at_once$|_hasty$")
"""`max_` is the prefix of a limit."""
_PYTHON = ("packages/*/src/**/*.py", "packages/*/tests/**/*.py", "services/*/src/**/*.py", "services/*/tests/**/*.py")
_PYTHON_TOOLS = ("tests/**/*.py", ".ci/*.py")
_JAVASCRIPT = ("services/viz/src/**/*.js", "services/viz/tests/page/**/*.js")
_DECLARATION = re.compile(r"\b(?:const|let|var|function|class)\s+(\w+)|[{,]\s*(\w+)\s*[,}]\s*(?==)")
_LUA = ("packages/*/src/**/*.lua", "services/*/src/**/*.lua", "tests/**/*.lua")
_LUA_DECLARATION = re.compile(r"\blocal\s+(?:function\s+)?([\w, \t]+)|\bfor\s+([\w, \t]+?)\s*(?:=|\bin\b)")
_MANIFESTS = ("k8s/**/*.yaml", "docker/**/*.yaml")
_MANIFEST_NAME = re.compile(
    r"(?:^[ \t]*(?:- )?|\b)name:[ \t]*\"?([\w.-]+)|^[ \t]*(?:- )?([\w.-]+):(?=\s)", re.MULTILINE
)
"""Names of objects, and keys: services of Compose, labels, settings."""
_VAGUE_WORDS = BANNED | {"nobody", "somebody", "everybody", "whoever", "whomever"}
"""A metric, or an object of a manifest, has none of these words in its name."""
_METRICS = frozenset({"Counter", "Gauge", "Histogram", "Summary"})
_BASELINE = Path(".ci/names.json")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a name is defined."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(slots=True)
class Names:
    """Definitions by name: of banned names, and of classes in shipped code."""

    banned: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
    classes: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))

    def add(self, name: str, place: Place) -> None:
        """Count a name if it is banned."""
        if is_banned(name):
            self.banned[name.strip("_").lower()].append(place)

    def add_words(self, name: str, separators: str, place: Place) -> None:
        """Count each banned word of a name, such as that of a metric or of an object in a manifest."""
        for word in re.split(f"[{separators}]", name.lower()):
            if word in _VAGUE_WORDS:
                self.banned[word].append(place)

    def counts(self) -> dict[str, int]:
        """Return the number of places of each banned name, and of each class name that several classes share."""
        shared = {f"class {name}": len(places) for name, places in self.classes.items() if len(places) > 1}
        return {name: len(places) for name, places in self.banned.items()} | shared

    def places(self, name: str) -> list[Place]:
        """Return the places that `counts` counts."""
        return self.classes[name.removeprefix("class ")] if name.startswith("class ") else self.banned[name]


def is_banned(name: str) -> bool:
    """Say whether a name is banned, whatever its case and however many underscores it begins with."""
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).strip("_").lower()
    # The name of a test is a statement.
    return not plain.startswith("test_") and (plain in BANNED or _BANNED_PARTS.search(plain) is not None)


def python_names(source: str) -> Iterator[tuple[str, int, bool]]:
    """Yield the names that Python code defines: name, line, and whether it is a class. Raises SyntaxError."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.ClassDef(name=name, lineno=line):
                yield name, line, True
            case ast.FunctionDef(name=name, lineno=line) | ast.AsyncFunctionDef(name=name, lineno=line):
                yield name, line, False
            case ast.arg(arg=name, lineno=line):
                yield name, line, False
            case ast.Name(id=name, ctx=ast.Store(), lineno=line) | ast.Attribute(
                attr=name, ctx=ast.Store(), lineno=line
            ):
                yield name, line, False


def metric_names(source: str) -> Iterator[tuple[str, int]]:
    """Yield the names of the metrics that Python code defines, and the line of each. Raises SyntaxError."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id=kind), args=[ast.Constant(value=str(name)), *_], lineno=line) if (
                kind in _METRICS
            ):
                yield name, line


def lua_names(source: str) -> Iterator[tuple[str, int]]:
    """Yield the local names that Lua code declares, and the line of each."""
    for match in _LUA_DECLARATION.finditer(source):
        for name in re.findall(r"\w+", match[1] or match[2]):
            yield name, source.count("\n", 0, match.start()) + 1


def manifest_names(source: str) -> Iterator[tuple[str, int]]:
    """Yield the names of objects and the keys of a YAML file, and the line of each."""
    for match in _MANIFEST_NAME.finditer(source):
        group = 1 if match[1] else 2
        yield match[group], source.count("\n", 0, match.start(group)) + 1


def javascript_names(source: str) -> Iterator[tuple[str, int]]:
    """Yield the names that JavaScript code declares, and the line of each."""
    for match in _DECLARATION.finditer(source):
        yield match[1] or match[2], source.count("\n", 0, match.start()) + 1


def collect(root: Path) -> Names:
    """Return the names of a checkout."""
    names = Names()
    for source in read_sources(root, (*_PYTHON, *_PYTHON_TOOLS)):
        names.add(source.path.stem, Place(str(source), 1))
        is_shipped = "/src/sector/" in str(source)
        for name, line, is_class in python_names(source.text):
            names.add(name, Place(str(source), line))
            # Tests may define classes of any name.
            if is_class and is_shipped:
                names.classes[name].append(Place(str(source), line))
        for name, line in metric_names(source.text) if is_shipped else ():
            names.add_words(name, "_", Place(str(source), line))
    for patterns, names_of in ((_JAVASCRIPT, javascript_names), (_LUA, lua_names)):
        for source in read_sources(root, patterns):
            names.add(source.path.stem, Place(str(source), 1))
            for name, line in names_of(source.text):
                names.add(name, Place(str(source), line))
    for source in read_sources(root, _MANIFESTS):
        for name, line in manifest_names(source.text):
            names.add_words(name, ".-", Place(str(source), line))
    return names


def main(arguments: Sequence[str], root: Path) -> int:
    """Compare a checkout with its baseline; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog=".ci/names.py",
        description="Counts banned names and duplicate class names. Fails if a count is above its baseline in .ci/names.json.",
        epilog="example: python .ci/names.py --write",
    )
    parser.add_argument(
        "--write", action="store_true", help="lower the baseline to the current counts; a count never rises"
    )
    write = parser.parse_args(arguments).write
    baseline, names = Baseline(root / _BASELINE), collect(root)
    counts = names.counts()
    if write:
        baseline.lower(counts)
    exceeded = baseline.exceeded(counts)
    for name in exceeded:
        places = ", ".join(map(str, names.places(name)))
        print(f"names: {name}: {counts[name]} places, {baseline.allowed(name)} allowed: {places}", file=sys.stderr)
    if exceeded:
        print("names: use the standard term, or a name that states the content", file=sys.stderr)
        return 1
    less = baseline.total - sum(counts.values())
    print(f"names: {sum(counts.values())} banned names, {less} fewer than in the baseline")
    return 0


if __name__ == "__main__":
    run(main)
