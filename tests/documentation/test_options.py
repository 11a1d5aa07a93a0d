"""Command-line options in the documents are those of the programs, and the reference lists all of them."""

import re
from pathlib import Path

import pytest

from documentation.code_blocks import PAGES
from documentation.programs import Program, find_programs, locust_options, program_of

TEXTS = {str(page): page.read_text() for pattern in PAGES for page in sorted(Path().glob(pattern))}
REFERENCE = "docs/reference/cli.md"
_NAME = re.compile(
    r"(?:\bsector-[a-z]+\b(?![:_./-])|(?<=`)sector\.[a-z]+(?=`)|\bpython3? -m sector(?:\.\w+)+|\./pants run [\w/:.]+"
    r"|\.ci/[a-z][\w-]+(?:\.py)?|\b3rdparty/python/lock|\bdocker/backup\.sh|\bexamples/bots/first_bot\.(?:py|js))"
)
_OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]+")
_SPAN = re.compile(r"`(--[a-z][\w-]*)[^`]*`")
FOREIGN = {
    "--build-arg": "docker",
    "--find-links": "uv",
    "--index": "uv",
    "--interpreter-constraint": "Pex",
    "--no-pypi": "Pex",
    "--python": "Pex",
    "--replicaof": "Valkey",
    "--requirement": "Pex",
    "--venv-repository": "Pex",
}
"""Options of other programs that the documents name."""


def option_names(program: Program) -> set[str]:
    """Return the options in the help of a program and of its commands."""
    return {name for each in (program, *program.commands()) for name in _OPTION.findall(each.help)}


def invocations(text: str) -> list[tuple[str, list[str]]]:
    """Return the programs that a text starts, each with its options."""
    starts = []
    text = re.sub(r"\\\n\s*", " ", text)
    for match in _NAME.finditer(text):
        # (a comment, a pipe, another command, or the end of a code span ends a command)
        rest = re.split(r"[`\n|#&;]|\s>|" + _NAME.pattern, text[match.end() :], maxsplit=1)[0]
        starts.append((match[0], _OPTION.findall(rest)))
    return starts


def sections(text: str) -> list[str]:
    """Return the sections of a page."""
    return re.split(r"^## ", text, flags=re.M)


@pytest.mark.parametrize("page", sorted(TEXTS))
def test_a_command_line_has_options_of_its_program(page: str) -> None:
    unknown = [
        (name, option)
        for name, options in invocations(TEXTS[page])
        if options and (program := program_of(name)) is not None
        for option in options
        if option not in option_names(program) | {"--help"}
    ]
    assert unknown == []


@pytest.mark.parametrize("page", sorted(page for page, text in TEXTS.items() if _SPAN.search(text)))
def test_an_option_in_the_text_is_one_of_a_program_on_the_page(page: str) -> None:
    programs = {program for name, _ in invocations(TEXTS[page]) if (program := program_of(name)) is not None}
    allowed = {"--help", *FOREIGN, *(name for program in programs for name in option_names(program))}
    if any(program.path.startswith("tests/load/") for program in programs):
        allowed |= locust_options()
    assert set(_SPAN.findall(TEXTS[page])) - allowed == set()


def test_every_option_of_a_distributed_program_is_in_the_reference() -> None:
    missing = []
    for program in find_programs():
        if program.path.startswith(("packages/", "services/")) and "/src/" in program.path:
            own = [
                each for each in sections(TEXTS[REFERENCE]) if program in {program_of(n) for n, _ in invocations(each)}
            ]
            named = {option for section in own for option in _OPTION.findall(section)}
            options = {option.name for each in (program, *program.commands()) for option in each.options}
            missing += [(str(program), option) for option in sorted(options - named)]
    assert missing == []


def test_options_and_programs_are_found_in_command_lines() -> None:
    text = (
        "`sector-api token --hours 1 | x --y` `./pants run tests/bench:model -- --sims \\\n 9 # --no` `.ci/run --quick`"
    )
    assert invocations(text) == [
        ("sector-api", ["--hours"]),
        ("./pants run tests/bench:model", ["--sims"]),
        (".ci/run", ["--quick"]),
    ]
    paths = [str(program_of(name)) for name, _ in invocations(text)]
    assert paths == ["services/api/src/sector/api/__main__.py", "tests/bench/src/bench/model.py", ".ci/run"]
    assert str(program_of("./pants run k8s:secrets")) == "k8s/make_secrets.py"
    assert str(program_of("python -m sector.world.maps")) == "packages/world/src/sector/world/maps.py"
    assert program_of("sector-worlds") is None
