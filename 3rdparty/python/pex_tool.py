"""The Pex tool that `./pants` gives to Pants: Pex, which lets uv install what a requirements lock names.

Pants passes a requirements lock to Pex as a whole, and Pex has pip download it, one distribution after the other. uv installs the
same distributions, by the same hashes, in parallel (docs/decisions/install-with-uv.md has both times). So this module

1. installs the lock with uv into a virtual environment inside Pants' sandbox, and lets Pex take the distributions from there;
2. leaves the lock to pip if uv fails, and prints why;
3. does not compress packed PEXes, which Pants only unpacks again.

`pex_tool.py write FOLDER UV UV_CACHE TARGET` writes into TARGET the one file that Pants runs, `tool`, and `known_version`, which
tells Pants its version, digest and size. FOLDER is the path under which TARGET is published.

Pants starts the tool with the Python that it runs on itself, so this module is limited to the syntax and library of Python 3.9.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

_TOOL = """#!/usr/bin/env python
import sys
sys.path.insert(0, {folder!r})
import pex_tool
pex_tool.main(sys.argv, uv={uv!r}, uv_cache={uv_cache!r})
"""
_RUNNING = "SECTOR_PEX_TOOL_RUNNING"


def write(folder: str, uv: str, uv_cache: str, target: Path) -> None:
    """Write the file that Pants runs."""
    text = _TOOL.format(folder=folder, uv=uv, uv_cache=uv_cache).encode()
    (target / "tool").write_bytes(text)
    (distribution,) = target.glob("pex-*.dist-info")
    version = re.fullmatch(r"pex-([\d.]+)\.dist-info", distribution.name)
    if version is None:
        raise ValueError(f"no version in the name {distribution.name}")
    machine = platform.machine().replace("aarch64", "arm64")
    system = platform.system().lower().replace("darwin", "macos")
    fields = (f"v{version[1]}", f"{system}_{machine}", hashlib.sha256(text).hexdigest(), str(len(text)))
    (target / "known_version").write_text("|".join(fields) + "\n")


def main(argv: list[str], *, uv: str, uv_cache: str) -> None:
    """Run Pex, or its command `pex3`, with the arguments that Pants gave."""
    _run_with_the_python_to_build_for(argv)
    script = os.environ.pop("PEX_SCRIPT", "pex")
    arguments = argv[1:]
    if script == "pex":
        arguments = adapt(arguments, uv, uv_cache)
    sys.argv = [argv[0], *arguments]
    if script == "pex3":
        from pex.cli.pex import main as run
    else:
        from pex.bin.pex import main as run
    sys.exit(run())


def _run_with_the_python_to_build_for(argv: list[str]) -> None:
    """Start this process again with the Python that Pants names, or that it searches first: Pants itself runs on another one."""
    for name in ("PEX_PYTHON", "PEX_PYTHON_PATH"):
        os.environ.pop(name, None)
    searched = [path for paths in _values(argv, "--python-path") for path in paths.split(os.pathsep)]
    for python in [*_values(argv, "--python"), *searched]:
        if os.environ.get(_RUNNING) is None and os.path.isfile(python) and os.access(python, os.X_OK):
            os.environ[_RUNNING] = "1"
            os.execv(python, [python, *argv])
    os.environ.pop(_RUNNING, None)


def adapt(arguments: list[str], uv: str, uv_cache: str) -> list[str]:
    """Return the arguments for Pex: with a virtual environment in place of a lock, and packed PEXes not compressed."""
    lock = _value(arguments, "--requirement")
    if lock is not None and "--no-transitive" in arguments and _is_for_this_python(arguments):
        environment = Path(_value(arguments, "--tmpdir") or ".").absolute() / "locked"
        if _install(environment, lock, arguments, uv, uv_cache):
            arguments = [*_without_indexes_and_targets(arguments), "--venv-repository", str(environment)]
    if _value(arguments, "--layout") == "packed":
        arguments = [*arguments, "--no-compress"]
    return arguments


def _install(environment: Path, lock: str, arguments: list[str], uv: str, uv_cache: str) -> bool:
    indexes = _values(arguments, "--index")
    sources = [f"--find-links={each}" for each in _values(arguments, "--find-links")]
    if indexes:
        sources += [f"--default-index={indexes[0]}", *(f"--index={each}" for each in indexes[1:])]
    elif "--no-pypi" in arguments:
        sources.append("--no-index")
    settings = {"UV_CACHE_DIR": uv_cache, "UV_NO_CONFIG": "1", "UV_INDEX_STRATEGY": "unsafe-best-match"}
    if certificates := _value(arguments, "--cert"):
        settings["SSL_CERT_FILE"] = str(Path(certificates).absolute())
    for command in (
        [uv, "venv", "-q", "--python", sys.executable, str(environment)],
        [uv, "pip", "sync", "-q", "--python", str(environment), "--require-hashes", *sources, lock],
    ):
        try:
            subprocess.run(command, env={**os.environ, **settings}, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"uv could not install {lock} ({error}); Pex asks pip for it", file=sys.stderr)
            return False
    return True


def _is_for_this_python(arguments: list[str]) -> bool:
    """Tell whether the PEX is to be built for the Python that runs this, which is the one that Pex then builds for."""
    from pex.interpreter_constraints import InterpreterConstraint

    if _values(arguments, "--platform") or _values(arguments, "--complete-platform"):
        return False
    pythons = _values(arguments, "--python")
    constraints = _values(arguments, "--interpreter-constraint")
    return all(os.path.realpath(python) == os.path.realpath(sys.executable) for python in pythons) and (
        not constraints or any(InterpreterConstraint.matches(constraint) for constraint in constraints)
    )


def _without_indexes_and_targets(arguments: list[str]) -> list[str]:
    """Return them without the options that Pex refuses beside a virtual environment."""
    named, bare = ("--python", "--interpreter-constraint", "--index", "--find-links"), ("--no-pypi",)
    remaining: list[str] = []
    skip = False
    for argument in arguments:
        if skip:
            skip = False
        elif argument in named:
            skip = True
        elif argument not in bare and argument.partition("=")[0] not in named:
            remaining.append(argument)
    return remaining


def _values(arguments: list[str], option: str) -> list[str]:
    """Return the values of an option, which Pants writes as `--option value` and as `--option=value`."""
    apart = [value for name, value in zip(arguments, arguments[1:]) if name == option]
    return apart + [argument.partition("=")[2] for argument in arguments if argument.startswith(f"{option}=")]


def _value(arguments: list[str], option: str) -> str | None:
    return next(iter(_values(arguments, option)), None)


if __name__ == "__main__":
    _, _, folder, uv, uv_cache, target = sys.argv
    write(folder, uv, uv_cache, Path(target))
