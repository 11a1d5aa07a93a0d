"""`--help` of every program that a user can start: purpose, options with units and defaults, and an example."""

import re
from collections.abc import Iterator

import pytest

from documentation.programs import Program, ProgramOption, find_programs, locust_options, run_help, stale_exceptions
from fixtures.requires import require_program

PROGRAMS = find_programs()
UNITS = {
    "S": "second",
    "MS": "millisecond",
    "M": "minute",
    "D": "day",
    "MIB": "MiB",
    "P": "percent",
    "PERCENT": "percent",
}


def options_of(program: Program) -> Iterator[ProgramOption]:
    """Yield the options of a program and of its commands, without those of Locust."""
    foreign = locust_options() if program.path.startswith("tests/load/") else frozenset()
    for each in (program, *program.commands()):
        yield from (option for option in each.options if option.name not in foreign)


@pytest.fixture(params=PROGRAMS, ids=str)
def program(request: pytest.FixtureRequest) -> Program:
    """Each program in turn."""
    each: Program = request.param
    if each.path.endswith(".js"):
        require_program("node", hint="apt-get install nodejs")
    return each


def test_programs_are_found_in_the_sources() -> None:
    paths = {each.path for each in PROGRAMS}
    assert {f"services/{name}/src/sector/{name}/__main__.py" for name in ("api", "bot", "viz", "worker")} <= paths
    assert {".ci/run", "docker/backup.sh", "examples/bots/first_bot.js", "tests/bench/src/bench/model.py"} <= paths
    assert stale_exceptions() == []


def test_a_program_states_its_purpose_and_an_example(program: Program) -> None:
    for each in (program, *program.commands()):
        result = run_help(each)
        assert (result.returncode, result.stderr) == (0, ""), each
        assert re.search(r"^usage: ", result.stdout, re.I | re.M), each
        assert re.search(r"^ *[a-z-]*:? ?[A-Za-z`][^\n]{20,}[.:]$", result.stdout, re.M), f"{each}: no sentence"
    assert re.search(r"^ *examples?:", program.help, re.M), "no example"


def test_each_option_has_a_text_with_its_default_and_unit(program: Program) -> None:
    for option in options_of(program):
        assert len(option.text) > 10, option
        if option.value:
            assert re.search(r"default|required|repeat", option.text), option
        unit = UNITS.get(option.value, "")
        assert unit in option.text, f"{option} has no unit"


def test_commands_are_found_in_the_help() -> None:
    commands = {str(each) for program in PROGRAMS for each in program.commands()}
    names = {name.rpartition("/")[2] for name in commands}
    assert {"__main__.py token", "__main__.py openapi", "__main__.py fork", "maps.py draw"} <= names
