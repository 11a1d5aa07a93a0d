"""Commands of Pants in the documents: the targets exist, and programs run and have the options."""

import json
import re
import shlex
from pathlib import Path

import pytest

from build.checkout import ask_daemon
from fixtures.long import LONG

_PAGES = ("*.md", "docs/**/*.md", "packages/*/README.md", "services/*/README.md", "examples/*/README.md")
_COMMAND = re.compile(r"\./pants ([^`\n#|&>…]+)(?=[`\n#|&>])")
_GOALS = frozenset(
    "check dependencies export fix fmt lint list package peek run tailor test update-build-files version".split()
)
_RUNNABLE = {"docker_image", "pex_binary", "python_source", "python_test"}


def documented_commands() -> list[tuple[str, list[str], list[str]]]:
    """Return the commands in all documents: goal, addresses, and arguments of the program."""
    text = "\n".join(page.read_text() for pattern in _PAGES for page in sorted(Path().glob(pattern)))
    commands = []
    for command in sorted({match[1].strip() for match in _COMMAND.finditer(text)}):
        words = shlex.split(command)
        end = words.index("--") if "--" in words else len(words)
        goal, *rest = [word for word in words[:end] if not word.startswith("--")] or ["version"]
        # A sentence may follow the command.
        commands.append((goal, [word for word in rest if "/" in word or ":" in word], words[end + 1 :]))
    return commands


COMMANDS = documented_commands()
RUN = [(address, arguments) for goal, addresses, arguments in COMMANDS if goal == "run" for address in addresses]
PROGRAMS = sorted({address for address, _ in RUN if not address.endswith(".py")})


def options_of(program: str) -> set[str]:
    """Return the options of a program that the documents name."""
    arguments = [word for address, words in RUN if address == program for word in words]
    return {word.partition("=")[0] for word in arguments if word.startswith("--")}


def test_goals_exist() -> None:
    assert len(COMMANDS) > 20
    assert {goal for goal, _, _ in COMMANDS} <= _GOALS


def test_addresses_exist(repository: Path) -> None:
    addresses = {address for goal, addresses, _ in COMMANDS for address in addresses if goal != "tailor"}
    listed = ask_daemon(repository, "list", *sorted(addresses - {"::"}))
    assert listed.returncode == 0, listed.stderr[-2000:]


# Packaging takes about ten seconds each. With SECTOR_LONG, all programs run.
@pytest.mark.parametrize("program", PROGRAMS if LONG else ["services/standalone"])
def test_a_program_runs_and_has_the_documented_options(repository: Path, program: str) -> None:
    ran = ask_daemon(repository, "run", program, "--", "--help")
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert re.search("^usage:", ran.stdout, re.I | re.M)
    help_text = ran.stdout
    # The options of a command are in its own help.
    for command in re.findall(r"(?<=[{,])\w+(?=[,}])", ran.stdout.partition("\n\n")[0]):
        help_text += ask_daemon(repository, "run", program, "--", command, "--help").stdout
    assert sorted(option for option in options_of(program) if option not in help_text) == []


def test_programs_are_discovered() -> None:
    assert {"docs:site", "services/standalone", "tests/bench", "tests/load", "tests/soak"} <= set(PROGRAMS)


def test_each_folder_has_one_program(repository: Path) -> None:
    """`run` refuses a folder with several programs."""
    folders = [program for program in PROGRAMS if ":" not in program]
    peeked = ask_daemon(repository, "peek", *(f"{folder}:" for folder in folders))
    assert peeked.returncode == 0, peeked.stderr
    runnable = [target["address"] for target in json.loads(peeked.stdout) if target["target_type"] in _RUNNABLE]
    assert sorted(re.split("/test_|:", address)[0] for address in runnable) == folders
