"""`./pants` runs the official launcher if it works, otherwise it installs Pants from PyPI."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from build.checkout import copy_repository, run_pants

TOOLS = ("sh", "sed", "mkdir", "mktemp", "cat", "cksum", "tr", "rm", "ln", "mv", "cp", "dirname")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The launcher and its files. Without backends, Pants starts in a few seconds."""
    copy = copy_repository(tmp_path, ("pants", "3rdparty/python"))
    (copy / "pants.toml").write_text(f'[GLOBAL]\npants_version = "{version_of(Path.cwd())}"\n')
    return copy


@pytest.fixture
def bin_directory(tmp_path: Path) -> Path:
    """A folder for PATH."""
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin"


def official(bin_directory: Path, version: str) -> str:
    """Create a program `pants` of a version; returns a PATH that begins with it."""
    program = bin_directory / "pants"
    program.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo {version} || echo "official: $*"\n')
    program.chmod(0o755)
    return f"{bin_directory}:{os.environ['PATH']}"


def version_of(repository: Path) -> str:
    version_line = re.search(r'^pants_version = "(.+)"', (repository / "pants.toml").read_text(), re.MULTILINE)
    assert version_line is not None
    return version_line[1]


def test_all_arguments_are_passed_to_the_official_launcher(repository: Path, bin_directory: Path) -> None:
    path = official(bin_directory, version_of(repository))
    ran = run_pants(repository, "test", "::", "--", "-k", "a b", PATH=path)
    assert (ran.returncode, ran.stdout) == (0, "official: test :: -- -k a b\n")


def test_a_launcher_too_old_for_the_version_is_skipped(repository: Path, bin_directory: Path) -> None:
    ran = run_pants(repository, "--version", PATH=official(bin_directory, "1.0.0"))
    assert (ran.returncode, ran.stdout.strip()) == (0, version_of(repository)), ran.stderr


def test_images_get_commit_and_repository_without_credentials(repository: Path, bin_directory: Path) -> None:
    path = official(bin_directory, version_of(repository))
    program = bin_directory / "pants"
    program.write_text(program.read_text().replace("official: $*", "$REVISION $SOURCE"))
    assert run_pants(repository, "package", PATH=path).stdout == "unknown unknown\n"
    git = ["git", "-C", str(repository), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    origin = "https://someone:secret@example.org/sector.git"
    for command in (["init", "-q"], ["add", "pants"], ["commit", "-q", "-m", "x"], ["remote", "add", "origin", origin]):
        subprocess.run([*git, *command], check=True, capture_output=True)
    output = run_pants(repository, "package", PATH=path).stdout
    assert re.fullmatch(r"[0-9a-f]{40} https://example\.org/sector\.git\n", output)


def test_the_selected_python_is_printed(repository: Path) -> None:
    ran = run_pants(repository, "--which-python", "3.13")
    assert ran.returncode == 0
    version_run = subprocess.run([ran.stdout.strip(), "--version"], capture_output=True, text=True, check=True)
    assert version_run.stdout.startswith("Python 3.13.")


def test_a_missing_python_is_reported_with_a_remedy(repository: Path, bin_directory: Path, tmp_path: Path) -> None:
    for tool in TOOLS:
        (bin_directory / tool).symlink_to(str(shutil.which(tool)))
    nowhere = str(tmp_path / "nowhere")
    settings = {"HOME": nowhere, "PYENV_ROOT": nowhere, "SECTOR_PANTS_CACHE": nowhere}
    ran = run_pants(repository, "--version", PATH=str(bin_directory), **settings)
    assert ran.returncode == 1
    assert "no Python 3.13, needed to run Sector" in ran.stderr
    assert "apt-get install python3.13-venv" in ran.stderr
    assert ran.stdout == ""


def test_a_missing_python_is_installed_with_uv_once(repository: Path, bin_directory: Path, tmp_path: Path) -> None:
    """A uv that finds a Python only after `python install`. The launcher passes it to the official Pants."""
    for tool in (*TOOLS, "touch"):
        (bin_directory / tool).symlink_to(str(shutil.which(tool)))
    official(bin_directory, version_of(repository))
    fetched = tmp_path / "fetched"
    uv = bin_directory / "uv"
    uv.write_text(
        f'#!/bin/sh\ncase "$2 $3" in\n"install 3.13") touch {fetched} ;;\n'
        f'"find 3.13") [ -e {fetched} ] && echo /fetched/python ;;\n*) exit 9 ;;\nesac\n'
    )
    uv.chmod(0o755)
    nowhere = str(tmp_path / "nowhere")
    settings = {"HOME": nowhere, "PYENV_ROOT": nowhere, "SECTOR_PANTS_CACHE": nowhere, "PATH": str(bin_directory)}
    first, second = (run_pants(repository, "list", "::", **settings) for _ in range(2))
    assert (first.returncode, first.stdout) == (second.returncode, second.stdout) == (0, "official: list ::\n")
    assert "pants: fetching Python 3.13 with uv" in first.stderr
    assert "fetching" not in second.stderr


def test_two_concurrent_starts_install_once(repository: Path, tmp_path: Path) -> None:
    """pip has constraints, too, at which its legacy resolver fails."""
    cache, constraints, pip = tmp_path / "cache", tmp_path / "constraints.txt", tmp_path / "pip.conf"
    constraints.write_text("some-other-package<2\n")
    pip.write_text(f"[global]\nconstraint = {constraints}\n")
    settings = {"SECTOR_PANTS_CACHE": str(cache), "PIP_CONFIG_FILE": str(pip)}
    environment = {**os.environ, **settings, "PANTS_PANTSD": "false", "PANTS_CONCURRENT": "true"}
    both = [
        subprocess.Popen(
            ["./pants", "--version"],
            cwd=repository,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert {out.strip() for out, _ in outputs} == {version_of(repository)}
    for step in ("installing uv with", "installing Pants 2.17.1 from PyPI", "starting Pants"):
        assert any(f"pants: {step}" in err for _, err in outputs)
    published = {entry.resolve() for entry in cache.iterdir() if entry.is_symlink()}
    assert sorted(folder.name.split(".")[0] for folder in published) == ["pants-venv", "pex", "uv"]
    folders = {entry for entry in cache.iterdir() if entry.is_dir() and not entry.is_symlink()}
    assert folders - published == {cache / "uv-cache"}, "no incomplete folder is left"


def test_a_program_deleted_from_the_cache_is_reinstalled(repository: Path, tmp_path: Path) -> None:
    """The launcher caches which Python it found. That Python may be uninstalled later."""
    cache = tmp_path / "cache"
    first = run_pants(repository, "--which-python", "3.13", SECTOR_PANTS_CACHE=str(cache))
    (remembered,) = cache.glob("python3.13-*")
    other = tmp_path / "python"
    other.write_text("#!/bin/sh\nexit 1\n")
    other.chmod(0o755)
    for python in (tmp_path / "uninstalled/python", other):
        remembered.write_text(f"{python}\n")
        second = run_pants(repository, "--which-python", "3.13", SECTOR_PANTS_CACHE=str(cache))
        assert (first.returncode, second.returncode) == (0, 0)
        assert second.stdout == first.stdout


def test_another_path_does_not_use_the_cached_python(repository: Path, bin_directory: Path, tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")
    first = run_pants(repository, "--which-python", "3.13", SECTOR_PANTS_CACHE=cache)
    python = bin_directory / "python3.13"
    python.symlink_to(first.stdout.strip())
    path = f"{bin_directory}:{os.environ['PATH']}"
    second = run_pants(repository, "--which-python", "3.13", SECTOR_PANTS_CACHE=cache, PATH=path)
    assert second.stdout.strip() == str(python)


def test_pip_installs_pants_if_uv_fails(repository: Path, tmp_path: Path) -> None:
    """Only the configuration of pip has the package index."""
    settings = {"SECTOR_PANTS_CACHE": str(tmp_path / "cache"), "UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple"}
    ran = run_pants(repository, "--install-only", UV_HTTP_RETRIES="0", **settings)
    assert ran.returncode == 0, ran.stderr
    assert is_installed(tmp_path / "cache")
    assert "uv could not install Pants (the reason is above); trying pip" in ran.stderr


@pytest.fixture(scope="module")
def full_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with Pants. Tests use copies of its links."""
    directory = tmp_path_factory.mktemp("full")
    repository = copy_repository(directory, ("pants", "pants.toml", "3rdparty/python"))
    ran = run_pants(repository, "--install-only", SECTOR_PANTS_CACHE=str(directory / "cache"))
    assert ran.returncode == 0, ran.stderr
    return directory / "cache"


def is_installed(cache: Path) -> bool:
    """Return whether Pants in a cache can be imported, and the Pex tool exists."""
    (python,) = cache.glob("pants-[0-9]*/bin/python")
    imported = subprocess.run([python, "-c", "import pants.bin.pants_loader"], check=False)
    return imported.returncode == 0 and bool(list(cache.glob("pex-[0-9]*/tool")))


@pytest.mark.parametrize("damaged", ["pants", "pex"])
@pytest.mark.parametrize("damage", ["folder", "file"])
def test_a_damaged_cache_is_repaired(repository: Path, full_cache: Path, damaged: str, damage: str) -> None:
    (link,) = (entry for entry in full_cache.glob(f"{damaged}-*") if entry.is_symlink())
    if damage == "folder":
        shutil.rmtree(link.resolve())
    else:
        (link / {"pants": "bin/python", "pex": "known_version"}[damaged]).unlink()
    repaired = run_pants(repository, "--install-only", SECTOR_PANTS_CACHE=str(full_cache))
    assert repaired.returncode == 0, repaired.stderr
    assert is_installed(full_cache)
    again = run_pants(repository, "--install-only", SECTOR_PANTS_CACHE=str(full_cache))
    assert (again.returncode, again.stderr) == (0, ""), "there is nothing left to install"


def test_settings_of_other_tools_are_ignored(repository: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    settings = {
        "PIP_TARGET": str(elsewhere),
        "PIP_PREFIX": str(elsewhere),
        "PIP_USER": "1",
        "PIP_REQUIRE_VIRTUALENV": "1",
        "UV_EXCLUDE_NEWER": "2001-01-01",
        "SECTOR_PANTS_CACHE": str(tmp_path / "cache"),
    }
    ran = run_pants(repository, "--install-only", **settings)
    assert ran.returncode == 0, ran.stderr
    assert "trying pip" not in ran.stderr
    assert is_installed(tmp_path / "cache")
    assert not elsewhere.exists()


@pytest.mark.parametrize("variable", ["SECTOR_PANTS_CACHE", "XDG_CACHE_HOME"])
@pytest.mark.parametrize("name", ["my cache", "José", "50%", "a#b"])
def test_an_unusable_cache_is_rejected_before_an_installation(
    repository: Path, tmp_path: Path, variable: str, name: str
) -> None:
    cache = tmp_path / name
    ran = run_pants(repository, "--version", **{variable: str(cache)})
    assert ran.returncode == 1
    assert f"Pants cannot use the cache folders {cache}" in ran.stderr or f":{cache}" in ran.stderr
    assert "Set XDG_CACHE_HOME to another folder" in ran.stderr
    assert not cache.exists()


def test_the_pex_tool_does_not_depend_on_the_python_that_wrote_it(full_cache: Path) -> None:
    """That Python may belong to a virtual environment that is deleted."""
    (tool,) = full_cache.glob("pex-*/tool")
    assert "bin/python" not in tool.read_text()


def test_a_broken_uv_on_the_path_does_not_hide_the_locked_one(
    repository: Path, bin_directory: Path, full_cache: Path
) -> None:
    uv = bin_directory / "uv"
    uv.write_text("#!/bin/sh\nexit 1\n")
    uv.chmod(0o755)
    path = f"{bin_directory}:{os.environ['PATH']}"
    ran = run_pants(repository, "--which-python", "3.13", SECTOR_PANTS_CACHE=str(full_cache), PATH=path)
    assert ran.returncode == 0, ran.stderr
