"""The wheels and the PEXes, as users without the repository install them."""

import json
import os
import re
import signal
import subprocess
import sys
import venv
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from fixtures.dependency_rules import ALLOWED_DEPENDENCIES, EXTRAS, SERVICES, folder_of
from fixtures.processes import free_base, free_port

# The processes must find neither the repository nor the imports of this test.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("PEX", "PYTHON"))}


def wheel_of(name: str) -> Path:
    (wheel,) = Path.cwd().glob(f"sector_{name}-*.whl")
    return wheel


def metadata_of(name: str) -> Message:
    with zipfile.ZipFile(wheel_of(name)) as wheel:
        (path,) = (each for each in wheel.namelist() if each.endswith(".dist-info/METADATA"))
        return Parser().parsestr(wheel.read(path).decode())


@pytest.fixture(scope="module")
def clean_bin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of an environment with all wheels, and the locked versions of their requirements."""
    clean_folder = tmp_path_factory.mktemp("clean")
    lock = Path("3rdparty/python/requirements.lock").read_text()
    pins = [line.removesuffix(" \\") for line in lock.splitlines() if line and not line.startswith((" ", "#"))]
    (clean_folder / "constraints.txt").write_text("\n".join(pins))
    venv.create(clean_folder / "venv", with_pip=True)
    wheels = [str(wheel_of(name)) for name in ALLOWED_DEPENDENCIES]
    pip = [
        str(clean_folder / "venv/bin/python"),
        "-m",
        "pip",
        "install",
        "-q",
        "-c",
        str(clean_folder / "constraints.txt"),
        *wheels,
    ]
    installed = subprocess.run(pip, env=ENVIRONMENT, cwd=clean_folder, capture_output=True, text=True, check=False)
    assert installed.returncode == 0, installed.stderr
    return clean_folder / "venv/bin"


@pytest.mark.parametrize("name", ALLOWED_DEPENDENCIES)
def test_metadata_is_complete(name: str) -> None:
    metadata = metadata_of(name)
    assert metadata["Name"] == f"sector-{name}"
    assert len(metadata["Summary"]) > 20
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["License-File"] == "LICENSE"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert str(metadata.get_payload()).lstrip().startswith(f"# sector-{name}\n")
    python = SpecifierSet(metadata["Requires-Python"])
    assert "3.13.0" in python
    assert "3.12.9" not in python
    assert "Typing :: Typed" in metadata.get_all("Classifier", [])


@pytest.mark.parametrize("name", ALLOWED_DEPENDENCIES)
def test_requirements_pin_siblings_and_bound_the_rest(name: str) -> None:
    required = [Requirement(text) for text in metadata_of(name).get_all("Requires-Dist", [])]
    siblings = {each.name.removeprefix("sector-"): each for each in required if each.name.startswith("sector-")}
    extras = {sibling for sibling, each in siblings.items() if each.marker is not None}
    assert extras == EXTRAS.get(name, set())
    assert set(siblings) - extras == ALLOWED_DEPENDENCIES[name]
    for sibling, requirement in siblings.items():
        assert str(requirement.specifier) == f"=={metadata_of(sibling)['Version']}"
    for each in required:
        assert any(spec.operator in ("<", "==") for spec in each.specifier), f"{each} has no upper bound"


@pytest.mark.parametrize("name", ALLOWED_DEPENDENCIES)
def test_the_version_is_the_newest_of_the_changelog(name: str) -> None:
    changelog = Path(folder_of(name), "CHANGELOG.md").read_text()
    newest = re.search(r"^## (\d+\.\d+\.\d+)", changelog, re.MULTILINE)
    assert newest is not None
    assert metadata_of(name)["Version"] == newest[1]


@pytest.mark.parametrize("name", ALLOWED_DEPENDENCIES)
def test_wheels_contain_one_typed_package_and_no_tests(name: str) -> None:
    with zipfile.ZipFile(wheel_of(name)) as wheel:
        held = {path for path in wheel.namelist() if ".dist-info/" not in path}
    parts = {"world": ("world", "puppet")}.get(name, (name,))
    assert {f"sector/{part}/py.typed" for part in parts} <= held
    assert {path.split("/")[1] for path in held} == set(parts)
    assert not any("test" in path for path in held)


@pytest.mark.parametrize("name", ALLOWED_DEPENDENCIES)
def test_builds_are_reproducible(name: str) -> None:
    with zipfile.ZipFile(wheel_of(name)) as wheel:
        assert {entry.date_time[0] for entry in wheel.infolist()} == {1980}


def test_the_wheels_run_a_tick_in_a_clean_environment(clean_bin: Path) -> None:
    script = Path("tests/distributions/play_a_tick.py").resolve()
    command = [str(clean_bin / "python"), "-I", str(script), str(free_port())]
    played = subprocess.run(command, env=ENVIRONMENT, cwd=clean_bin, capture_output=True, text=True, check=False)
    assert played.returncode == 0, played.stderr
    summary = json.loads(played.stdout)
    assert (summary["tick"], summary["factions"]) == (1, ["Crimson", "Me"])
    assert Path(summary["installed_in"]).is_relative_to(clean_bin.parent)


def test_requirements_of_the_wheels_are_compatible(clean_bin: Path) -> None:
    checked = subprocess.run(
        [str(clean_bin / "python"), "-m", "pip", "check"], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("form", ["script", "pex"])
@pytest.mark.parametrize("name", SERVICES)
def test_every_script_and_pex_prints_its_help(clean_bin: Path, name: str, form: str) -> None:
    help_run = subprocess.run(
        [*command_of(name, form, clean_bin), "--help"],
        env=ENVIRONMENT,
        cwd=clean_bin,
        capture_output=True,
        text=True,
        check=False,
    )
    assert help_run.returncode == 0, help_run.stderr
    assert f"sector-{name}" in help_run.stdout


def command_of(name: str, form: str, clean_bin: Path) -> list[str]:
    if form == "script":
        return [str(clean_bin / f"sector-{name}")]
    return [sys.executable, str(Path(f"services.{name}/{name}.pex").resolve())]


@pytest.mark.parametrize("form", ["script", "pex"])
def test_standalone_runs_a_world_without_the_repository(clean_bin: Path, form: str) -> None:
    world = subprocess.Popen(
        [*command_of("standalone", form, clean_bin), "--port-base", str(free_base())],
        env=ENVIRONMENT,
        cwd=clean_bin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert world.stdout is not None
    output = ""
    for line in world.stdout:
        output += line
        if "Ctrl-C stops it all." in line:
            world.send_signal(signal.SIGINT)
    assert world.wait() == 0, output
    assert output.rstrip().endswith("stopped.")
