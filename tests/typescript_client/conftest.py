"""The packed client, and a program in which it is installed."""

import json
import shutil
from pathlib import Path

import pytest
from typescript_client.npm_package import PACKAGE, Checkout, run

from fixtures.requires import require_program, require_success

_HINT = "install Node.js 20.12 or newer, with npm (apt-get install nodejs npm)"
_NPM_FLAGS = ("--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--loglevel=error")


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    node = require_program("node", hint=_HINT)
    npm = require_program("npm", hint=_HINT)
    require_success(node, "--eval", "AbortSignal.any([])", hint=_HINT)
    copy = tmp_path_factory.mktemp("repository")
    shutil.copytree(PACKAGE, copy / PACKAGE, ignore=shutil.ignore_patterns("node_modules", "dist"))
    shutil.copy2("LICENSE", copy / "LICENSE")
    folder = copy / PACKAGE
    run(npm, "ci", *_NPM_FLAGS, cwd=folder)
    packed = json.loads(run(npm, "pack", "--json", "--loglevel=error", cwd=folder).partition("[")[2].join(("[", "")))
    return Checkout(folder, folder / packed[0]["filename"])


@pytest.fixture(scope="session")
def program(checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tests, in which the packed client is installed."""
    folder = tmp_path_factory.mktemp("program")
    (folder / "package.json").write_text('{"type": "module", "private": true}')
    run(require_program("npm", hint=_HINT), "install", *_NPM_FLAGS, str(checkout.packed), cwd=folder)
    for source in (PACKAGE / "tests").glob("*.js"):
        shutil.copy2(source, folder / source.name)
    return folder
