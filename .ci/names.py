"""`.ci/names.py`: counts banned names and duplicate class names, and fails if their number grows.

It counts the names that the language rules ban in Python and Lua code, in the modules of the page, in manifests and in metrics. A count
above its baseline, `.ci/names.json`, fails, and each place is listed.
`.ci/names.py --write` lowers the baseline after a renaming. It never raises a count.
"""

import argparse
import ast
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

BANNED = frozenset(
    """anew asked begun borrowed chosen followed found heard kept known made said seen served taken there told whole
    written""".split()
)
"""Past participles and adverbs. A name states the thing: `found` is a snapshot, a match, or a created sim."""
_BANNED_PARTS = re.compile(r"(?:^|_)most_|_anew$|_at_once$|_hasty$")
"""`max_` is the prefix of a limit."""
_PYTHON = ("packages/*/src", "packages/*/tests", "services/*/src", "services/*/tests", "tests", ".ci")
_JAVASCRIPT = ("services/viz/src", "services/viz/tests/page")
_DECLARATION = re.compile(r"\b(?:const|let|var|function|class)\s+(\w+)|[{,]\s*(\w+)\s*[,}]\s*(?==)")
_LUA = ("packages/*/src", "services/*/src", "tests")
_LUA_DECLARATION = re.compile(r"\blocal\s+(?:function\s+)?([\w, \t]+)|\bfor\s+([\w, \t]+?)\s*(?:=|\bin\b)")
_MANIFESTS = ("k8s", "docker")
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
    for path in _files(root, _PYTHON, ".py"):
        relative = str(path.relative_to(root))
        names.add(path.stem, Place(relative, 1))
        for name, line, is_class in python_names(path.read_text()):
            names.add(name, Place(relative, line))
            # Tests may define classes of any name.
            if is_class and "/src/sector/" in relative:
                names.classes[name].append(Place(relative, line))
        if "/src/sector/" in relative:
            for name, line in metric_names(path.read_text()):
                names.add_words(name, "_", Place(relative, line))
    for patterns, suffix, names_of in ((_JAVASCRIPT, ".js", javascript_names), (_LUA, ".lua", lua_names)):
        for path in _files(root, patterns, suffix):
            relative = str(path.relative_to(root))
            names.add(path.stem, Place(relative, 1))
            for name, line in names_of(path.read_text()):
                names.add(name, Place(relative, line))
    for path in _files(root, _MANIFESTS, ".yaml"):
        for name, line in manifest_names(path.read_text()):
            names.add_words(name, ".-", Place(str(path.relative_to(root)), line))
    return names


def _files(root: Path, patterns: Iterable[str], suffix: str) -> Iterator[Path]:
    for pattern in patterns:
        for folder in sorted(root.glob(pattern)):
            yield from (path for path in sorted(folder.rglob(f"*{suffix}")) if "node_modules" not in path.parts)


def more_than(baseline: Mapping[str, int], names: Names) -> list[str]:
    """Return a line for each name that is defined in more places than the baseline has, with all places."""
    return [
        f"{name}: {count} places, {baseline.get(name, 0)} allowed: {', '.join(map(str, names.places(name)))}"
        for name, count in sorted(names.counts().items())
        if count > baseline.get(name, 0)
    ]


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
    path = root / _BASELINE
    baseline: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
    names = collect(root)
    counts = names.counts()
    if write:
        lowered = {name: min(count, baseline.get(name, count) if baseline else count) for name, count in counts.items()}
        path.write_text(json.dumps(dict(sorted(lowered.items())), indent=2) + "\n")
    problems = more_than(baseline or counts, names)
    for problem in problems:
        print(f"names: {problem}", file=sys.stderr)
    if problems:
        print("names: use the standard term, or a name that states the content", file=sys.stderr)
        return 1
    less = sum(baseline.values()) - sum(counts.values())
    print(f"names: {sum(counts.values())} banned names, {less} fewer than in the baseline")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path(__file__).resolve().parent.parent))
