"""The programs that a user can start, collected from the sources, and their help."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fixtures.processes import environment

_INTERNAL = {
    "3rdparty/python/pex_tool.py": "Pants starts it in place of Pex",
    "k8s/redis/backup.sh": "a copy of docker/backup.sh",
    "packages/process/tests/echo_process.py": "a process of a test",
    "packages/process/tests/sample_process.py": "a process of a test",
    "packages/world/src/sector/world/charts.py": "the earlier name of sector.world.maps",
    "packages/world/src/sector/world/classic/guard.py": "the engine starts it for each program",
    "packages/world/tests/fuzz_snapshots.py": "a test starts it; its options are those of atheris",
    "services/api/tests/stalling_api.py": "a process of a test",
    "services/standalone/src/sector/standalone/watchdog.py": "standalone starts it",
    "tests/bench/src/bench/abuse.py": "the bench starts it",
    "tests/bench/src/bench/bare.py": "the bench starts it",
    "tests/bench/src/bench/collector.py": "the bench starts it",
    "tests/bench/src/bench/constant.py": "the bench starts it",
    "tests/bench/src/bench/spectators.py": "the bench starts it",
    "tests/bench/src/bench/switched.py": "the bench starts it",
    "tests/bench/src/bench/textbook.py": "the bench starts it",
    "tests/faults/src/chaos/sabotage.py": "a test starts it in place of a worker",
    "tests/faults/test_faults.py": "Pants starts it for `./pants run tests/faults`: the options are those of chaos",
    "tests/fixtures/fork_server.py": "tests start it",
    "tests/hostile/src/hostile/legitimate_client.py": "a test starts it",
}
"""Files that can be run, but that no user starts, and why."""
_FOLDERS = (".ci", "3rdparty/python", "docker", "docs", "examples", "k8s", "packages", "services", "tests")
_MAIN = '\nif __name__ == "__main__":\n'
_OPTION = re.compile(
    r"^ {1,8}(?:-\w(?: [^\s,]+)?, )?(--[\w-]+)(?:[ =](\S(?:[^\n]*?\S)?))?(?: {2,}|\n {10,})(\S.*)$", re.M
)
_COMMAND = re.compile(r"^ {4}([a-z]\w+)(?: {2,}|$)", re.M)


@dataclass(frozen=True, slots=True)
class ProgramOption:
    """An option in the help of a program. `value` is the name of its value; empty for a flag."""

    name: str
    value: str
    text: str


@dataclass(frozen=True, slots=True)
class Program:
    """A program: its path from the root of the repository, and the arguments before `--help`."""

    path: str
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join((self.path, *self.arguments))

    @property
    def command(self) -> list[str]:
        """The command that starts the program."""
        path = Path(self.path)
        if path.suffix == ".js":
            return ["node", self.path, *self.arguments]
        if path.suffix != ".py":
            return ["sh", self.path, *self.arguments]
        if "src" in path.parts or path.is_relative_to("docs"):
            root = path.parts.index("src" if "src" in path.parts else "docs")
            module = ".".join(path.with_suffix("").parts[root + 1 :]).removesuffix(".__main__")
            return [sys.executable, "-m", module, *self.arguments]
        return [sys.executable, self.path, *self.arguments]

    @property
    def help(self) -> str:
        """The output of `--help`."""
        return run_help(self).stdout

    @property
    def options(self) -> list[ProgramOption]:
        """The options in the help, without `--help`."""
        return [
            ProgramOption(*match.groups(default="")) for match in _OPTION.finditer(self.help) if match[1] != "--help"
        ]

    def commands(self) -> Iterator["Program"]:
        """Yield the commands of the program, each with its own help."""
        names = _COMMAND.findall(self.help.partition("\npositional arguments:\n")[2].partition("\n\n")[0])
        own_name = re.match(r"usage: (sector-\w+)", self.help)
        if own_name:
            names += re.findall(rf"^{own_name[1]} ([a-z]+)\b", self.help, re.M)
        yield from (Program(self.path, (name,)) for name in names)


@cache
def run_help(program: Program) -> subprocess.CompletedProcess[str]:
    """Run a program with `--help`."""
    # Wide enough for each option to have one line.
    variables = environment(COLUMNS="1000")
    return subprocess.run(
        [*program.command, "--help"], env=variables, capture_output=True, text=True, check=False, timeout=120
    )


@cache
def locust_options() -> frozenset[str]:
    """Return the options of Locust itself, which are also options of the load test."""
    command = [sys.executable, "-m", "locust", "--help"]
    printed = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True, timeout=120)
    return frozenset(re.findall(r"(--[\w-]+)", printed.stdout))


def _is_program(path: Path) -> bool:
    if path.suffix == ".py":
        return _MAIN in path.read_text()
    if path.suffix == ".js":
        return path.is_relative_to("examples")
    return path.suffix in ("", ".sh") and path.is_file() and path.read_bytes().startswith(b"#!")


@cache
def find_programs() -> tuple[Program, ...]:
    """Return the programs that a user can start, by path."""
    paths = sorted(
        path
        for folder in _FOLDERS
        for path in Path(folder).rglob("*")
        if path.suffix in (".py", ".js", ".sh", "") and path.is_file() and "node_modules" not in path.parts
    )
    return tuple(Program(str(path)) for path in paths if str(path) not in _INTERNAL and _is_program(path))


def program_of(invocation: str) -> Program | None:
    """Return the program that a command line starts, such as `sector-api`, `python -m sector.state` or `./pants run k8s:secrets`."""
    name = invocation.split()[-1]
    programs = find_programs()
    if invocation.startswith("./pants run "):
        folder, _, target = name.partition(":")
        below = [each for each in programs if each.path == name or each.path.startswith(f"{folder}/")]
        scripts = [each for each in below if each.path.endswith(".py")]
        named = [each for each in scripts if Path(each.path).stem in (target or "__main__", "run")]
        return next(iter(named or scripts), None)
    module = name.replace("sector-", "sector.") if name.startswith("sector-") else name
    endings = (f"src/{module.replace('.', '/')}.py", f"src/{module.replace('.', '/')}/__main__.py", name)
    return next((each for each in programs if each.path.endswith(endings) and "." in module or each.path == name), None)


def stale_exceptions() -> list[str]:
    """Return the paths in the list of internal files that are not programs any more."""
    return [path for path in _INTERNAL if not Path(path).exists()]
