"""The TypeScript client, packed and installed, in Node.js against a real API."""

import json
import os
import re
import subprocess
import tarfile
from pathlib import Path

import pytest
from typescript_client.npm_package import PACKAGE, Checkout, run

from fixtures.processes import Processes, Service
from fixtures.requires import require_program
from fixtures.tokens import SECRET, create_token
from sector.api.openapi import document
from sector.models import SimConfig

# Its history is short, so that a stream can begin before it. No home can be conquered, so that it does not end.
CONFIG = SimConfig(
    seed=3,
    systems=24,
    homes=4,
    start_supply=500,
    players=["Crimson"],
    puppets=[],
    home_ships=1_000_000_000,
    keyframe_interval=10,
    keyframes_kept=8,
)


@pytest.fixture
def api(redis_url: str, processes: Processes) -> Service:
    config = CONFIG.model_dump_json()
    processes.start("worker", REDIS_URL=redis_url, SIM_ID="default,*", TICK_DELAY="0.05", SIM_CONFIG=config)
    return processes.start("api", REDIS_URL=redis_url, AUTH_SECRET=SECRET)


def world(api: Service) -> dict[str, str]:
    return {"API_URL": api.url, "API_TOKEN": create_token("Me"), "ADMIN_TOKEN": create_token(scope="admin")}


def test_the_types_match_the_openapi_document(checkout: Checkout) -> None:
    (checkout.folder / "openapi.json").write_text(json.dumps(document(tokens=True)))
    committed = (checkout.folder / "src/schema.ts").read_text()
    run("npm", "run", "generate", cwd=checkout.folder)
    hint = "see `How it is built` in packages/typescript-client/README.md"
    assert (checkout.folder / "src/schema.ts").read_text() == committed, hint


def test_the_types_accept_valid_and_reject_invalid_code(checkout: Checkout) -> None:
    run("npm", "run", "check", cwd=checkout.folder)


def test_the_package_contains_exactly_the_public_files(checkout: Checkout) -> None:
    with tarfile.open(checkout.packed) as packed:
        names = {name.removeprefix("package/") for name in packed.getnames()}
    modules = {path.stem for path in (checkout.folder / "src").glob("*.ts")}
    built = {f"dist/{module}{suffix}" for module in modules for suffix in (".js", ".d.ts")}
    assert names == built | {"dist/browser.js", "package.json", "README.md", "CHANGELOG.md", "LICENSE"}


def test_the_changelog_begins_with_the_version_of_the_package() -> None:
    version = json.loads((PACKAGE / "package.json").read_text())["version"]
    assert re.findall(r"^## (\S+)", (PACKAGE / "CHANGELOG.md").read_text(), re.MULTILINE)[0] == version


def test_the_lock_has_no_addresses() -> None:
    assert "://" not in (PACKAGE / "package-lock.json").read_text(), "npm run lock writes it without addresses"


def programs(kind: str) -> list[str]:
    """Return the programs of a language in the README."""
    return re.findall(rf"^```{kind}\n(.*?)^```", (PACKAGE / "README.md").read_text(), re.MULTILINE | re.DOTALL)


def test_the_bot_of_the_readme_plays(program: Path, api: Service) -> None:
    (bot,) = programs("js")
    (program / "bot.mjs").write_text(bot)
    settings = {"SECTOR_API": api.url, "SECTOR_TOKEN": create_token("Me")}
    output = run("node", "bot.mjs", cwd=program, **settings)
    assert output.startswith("applied")
    assert "'system_claimed'" in output
    refused = run("node", "bot.mjs", cwd=program, **settings | {"SECTOR_TOKEN": create_token("Another")})
    assert refused.startswith("A request failed: 403 ")


def test_the_readme_type_checks(program: Path, checkout: Checkout) -> None:
    (example,) = programs("ts")
    (program / "example.ts").write_text(example)
    options = {"strict": True, "module": "NodeNext", "target": "ES2022", "lib": ["ES2022", "DOM"], "noEmit": True}
    configuration = {"compilerOptions": {**options, "types": []}, "files": ["example.ts"]}
    (program / "tsconfig.json").write_text(json.dumps(configuration))
    run(str(checkout.folder / "node_modules/.bin/tsc"), "--project", "tsconfig.json", cwd=program)


def test_the_client_covers_the_api_and_reports_errors(program: Path, api: Service) -> None:
    tests = sorted(path.name for path in program.glob("*.test.js"))
    assert tests == ["client.test.js", "garbage.test.js", "retry.test.js", "stream.test.js"]
    run("node", "--test", "--test-reporter=spec", "--test-timeout=60000", *tests, cwd=program, **world(api))


def test_the_client_survives_a_killed_api(program: Path, api: Service, redis_url: str, processes: Processes) -> None:
    """Orders and events continue while APIs die one by one: each order takes effect once, and no event is lost."""
    playing = subprocess.Popen(
        [require_program("node", hint=""), "survive.js"],
        cwd=program,
        env={**os.environ, **world(api)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert playing.stdout is not None
    for line in playing.stdout:
        # The program requests a kill after every tenth order, and continues to send.
        if line == "kill\n":
            api.process.kill()
            api.process.wait()
            api = processes.start("api", REDIS_URL=redis_url, AUTH_SECRET=SECRET, PORT=str(api.port))
    _, errors = playing.communicate(timeout=60)
    assert playing.returncode == 0, errors
