"""The Pex tool of the launcher: uv installs locked distributions by hash, and pip does it if uv cannot."""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

import pex_tool
from fixtures.requires import require_program


@pytest.fixture
def uv() -> str:
    """The uv of the launcher, if Pants was installed by it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sector-pants"
    return next((str(path) for path in cache.glob("uv-*/bin/uv")), "") or require_program("uv", hint="pip install uv")


def make_wheel(directory: Path, name: str) -> str:
    """Write a wheel with one module; returns its line in a lock."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": f"NAME = {name!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digests = {
        path: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        for path, text in files.items()
    }
    record = [f"{path},sha256={digests[path]},{len(text)}" for path, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""])
    wheel = directory / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.lock"
    path.write_text(make_wheel(tmp_path, "locked_alpha") + make_wheel(tmp_path, "locked_beta"))
    return path


def arguments_for(lock: Path, output: Path) -> list[str]:
    """Return the arguments with which Pants has Pex install a lock."""
    directory = lock.parent
    return [
        f"--tmpdir={directory}",
        f"--output-file={output}",
        f"--python={sys.executable}",
        "--no-pypi",
        f"--find-links={directory}",
        "--requirement",
        str(lock),
        "--no-transitive",
        "--layout",
        "packed",
    ]


def build(uv: str, lock: Path, output: Path) -> subprocess.CompletedProcess[str]:
    """Run the tool like Pants."""
    folder = lock.parent / "tool"
    (folder / f"pex-{version('pex')}.dist-info").mkdir(parents=True)
    shutil.copy(str(pex_tool.__file__), folder)
    pex_tool.write(str(folder), uv, str(lock.parent / "uv-cache"), folder)
    return subprocess.run(
        [sys.executable, str(folder / "tool"), f"--pex-root={lock.parent / 'root'}", *arguments_for(lock, output)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_a_pex_contains_everything_in_the_lock(uv: str, lock: Path, tmp_path: Path) -> None:
    built = build(uv, lock, tmp_path / "locked.pex")
    assert built.returncode == 0, built.stderr
    assert "Pex asks pip" not in built.stderr
    names = {path.name.split("-")[0] for path in (tmp_path / "locked.pex/.deps").iterdir()}
    assert names == {"locked_alpha", "locked_beta"}
    imported = subprocess.run(
        [sys.executable, str(tmp_path / "locked.pex"), "-c", "import locked_beta; print(locked_beta.NAME)"],
        env={"PATH": os.environ["PATH"], "PEX_ROOT": str(tmp_path / "root")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert imported.stdout == "locked_beta\n"


def test_a_distribution_with_a_wrong_hash_is_rejected(uv: str, lock: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "locked_beta-1.0-py3-none-any.whl", "a") as wheel:
        wheel.writestr("added.py", "")
    built = build(uv, lock, tmp_path / "locked.pex")
    assert built.returncode != 0
    assert "Hash mismatch for `locked-beta==1.0`" in built.stderr
    assert not (tmp_path / "locked.pex").exists()


@pytest.mark.parametrize("failing", ["false", "no-such-program"])
def test_without_uv_pex_gets_the_original_arguments(
    failing: str, lock: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    given = arguments_for(lock, tmp_path / "locked.pex")
    assert pex_tool.adapt(given, failing, str(tmp_path / "uv-cache")) == [*given, "--no-compress"]
    assert f"uv could not install {lock}" in capfd.readouterr().err


def test_foreign_pythons_and_platforms_are_left_to_pip(lock: Path, tmp_path: Path) -> None:
    given = arguments_for(lock, tmp_path / "locked.pex")
    elsewhere = [each.replace(sys.executable, "/elsewhere/python") for each in given]
    for each in (
        elsewhere,
        [*given, "--platform", "linux-x86_64-cp-313-cp313"],
        [*given, "--interpreter-constraint=PyPy"],
    ):
        assert pex_tool.adapt(each, "must-not-be-run", "") == [*each, "--no-compress"]


def test_an_unpacked_pex_is_compressed() -> None:
    given = ["--output-file", "a.pex", "--layout", "zipapp"]
    assert pex_tool.adapt(given, "must-not-be-run", "") == given


def test_pants_knows_digest_and_size_of_the_tool(tmp_path: Path) -> None:
    (tmp_path / "pex-1.2.3.dist-info").mkdir()
    pex_tool.write("/published", "/uv", "/uv-cache", tmp_path)
    tool = (tmp_path / "tool").read_bytes()
    pinned = (tmp_path / "known_version").read_text().strip().split("|")
    assert (pinned[0], pinned[2:]) == ("v1.2.3", [hashlib.sha256(tool).hexdigest(), str(len(tool))])


def test_the_tool_runs_with_the_first_python_of_the_search_path(tmp_path: Path) -> None:
    """Pants runs the tool with the Python of its own environment, but the packages are for another one."""
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(0o755)
    run = "import sys, pex_tool; pex_tool.main(sys.argv, uv='', uv_cache='')"
    done = subprocess.run(
        [sys.executable, "-c", run, "--python-path", f"{tmp_path}:{program}:/usr/bin/false"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["-c", "--python-path", f"{tmp_path}:{program}:/usr/bin/false"]
