"""The page and its assets, as the viz serves them."""

import hashlib
import posixpath
import re
import subprocess
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from fixtures.processes import Processes, Service
from fixtures.requires import require_program
from sector.viz.page_server import FOLDER, PageServer

IMPORT = re.compile(r'(?:from|^import) "(\.[^"]+)"', re.MULTILINE)
LAYERS = ["core", "codec", "world", "vendor", "ui", "net", "time", "map", "play", "panels"]
"""The folders of the modules. A module imports from its own folder and from those before it."""


@pytest.fixture(scope="module")
def viz(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A viz without Redis, which serves the page nevertheless. All tests of the module share it."""
    processes = Processes(tmp_path_factory.mktemp("viz"))
    service = processes.start("viz", wait=False, REDIS_URL="redis://127.0.0.1:1/0")
    service.wait_until(ready=False)
    yield service
    processes.end_all()


def asset_paths(viz: Service) -> list[str]:
    """Return the paths of all assets that the page and its modules refer to."""
    page = re.sub(r'<link rel="modulepreload"[^>]*>', "", httpx.get(viz.url).text)
    addresses = re.findall(r'(?:href|src)="([^"]+)"', page)
    for path in addresses:
        if path.endswith(".js") and "vendor" not in path:
            source = httpx.get(f"{viz.url}/{path}").text
            imports = [posixpath.join(posixpath.dirname(path), name) for name in IMPORT.findall(source)]
            addresses += [name for name in map(posixpath.normpath, imports) if name not in addresses]
    return addresses


def module_imports() -> dict[str, list[str]]:
    """Return which modules of the page each module imports, by their paths."""
    imports = {}
    for path in FOLDER.rglob("*.js"):
        name = path.relative_to(FOLDER).as_posix()
        if not name.startswith("vendor/"):
            targets = [posixpath.join(posixpath.dirname(name), target) for target in IMPORT.findall(path.read_text())]
            imports[name] = [posixpath.normpath(target) for target in targets]
    return imports


def test_all_assets_are_served_by_the_viz_and_cached_forever(viz: Service) -> None:
    paths = asset_paths(viz)
    assert len(paths) > 30
    for path in paths:
        assert not path.startswith(("http", "/")), path
        answer = httpx.get(f"{viz.url}/{path}")
        assert answer.status_code == 200, path
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_there_is_no_unused_asset_and_all_modules_are_preloaded(viz: Service) -> None:
    needed = {path.split("/", 2)[2] for path in asset_paths(viz)}
    files = {
        path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.suffix in (".js", ".css", ".svg")
    }
    assert files == needed
    preloaded = re.findall(r'rel="modulepreload" href="static/\w+/([^"]+)"', httpx.get(viz.url).text)
    assert sorted(preloaded) == sorted(name for name in files if name.endswith(".js"))


def test_modules_in_folders_are_served_but_not_the_folders(viz: Service) -> None:
    version = PageServer("default", "").version
    for name in (name for name in module_imports() if "/" in name):
        answer = httpx.get(f"{viz.url}/static/{version}/{name}")
        assert (answer.status_code, answer.content) == (200, (FOLDER / name).read_bytes())
        assert httpx.get(f"{viz.url}/static/{version}/{posixpath.dirname(name)}").status_code == 404


def test_the_folders_of_the_modules_depend_on_each_other_in_one_direction() -> None:
    assert {path.parent.name for path in FOLDER.rglob("*.js") if path.parent != FOLDER} == set(LAYERS)
    wrong = [
        (name, target)
        for name, targets in module_imports().items()
        for target in targets
        if "/" in name and LAYERS.index(posixpath.dirname(target)) > LAYERS.index(posixpath.dirname(name))
    ]
    assert not wrong


def test_the_page_is_revalidated_and_has_a_strict_security_policy(viz: Service) -> None:
    page = httpx.get(viz.url)
    assert page.headers["cache-control"] == "no-cache"
    policy = page.headers["content-security-policy"]
    assert policy.startswith(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    )
    assert "unsafe" not in policy
    again = httpx.get(viz.url, headers={"If-None-Match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("encoding", ["br", "gzip", "identity"])
def test_the_page_is_served_in_each_encoding(viz: Service, encoding: str) -> None:
    plain = httpx.get(viz.url, headers={"Accept-Encoding": "identity"})
    encoded = httpx.get(viz.url, headers={"Accept-Encoding": encoding})
    assert encoded.headers.get("content-encoding", "identity") == encoding
    assert encoded.headers["vary"] == "Accept-Encoding"
    assert encoded.text == plain.text


def test_the_security_policy_allows_requests_to_the_api_only(processes: Processes) -> None:
    viz = processes.start("viz", wait=False, API_URL="https://api.example.org/v1")
    viz.wait_until(ready=False)
    page = httpx.get(viz.url)
    assert "connect-src 'self' https://api.example.org;" in page.headers["content-security-policy"]
    settings = re.search(r'name="sector" content="([^"]+)"', page.text)
    assert settings is not None
    assert unescape(settings[1]) == '{"sim":"default","api":"https://api.example.org/v1","polling":false}'


def test_the_version_depends_on_the_files_and_not_on_the_settings() -> None:
    assert PageServer("default", "").version == PageServer("other", "/api").version


def test_the_boot_script_is_served_for_every_version(viz: Service) -> None:
    other = httpx.get(f"{viz.url}/static/0000000000000000/boot.js")
    own = httpx.get(f"{viz.url}/static/{PageServer('default', '').version}/boot.js")
    assert (other.status_code, other.text) == (200, own.text)
    # Otherwise browsers would cache it as the script of the other version.
    assert other.headers["cache-control"] == "no-store"
    assert "immutable" in own.headers["cache-control"]


def test_the_page_says_what_to_do_if_nothing_else_loads(viz: Service) -> None:
    alarm = re.search(r'<p id="alarm"[^>]*>(.*?)</p>', httpx.get(viz.url).text, re.DOTALL)
    assert alarm is not None
    assert "reload the page" in alarm[1]


@pytest.mark.parametrize(
    "path",
    [
        "static/0000000000000000/main.js",
        "static/{version}/../app.py",
        "static/{version}/%2e%2e/app.py",
        "static/{version}/nothing.js",
        "static/{version}/index.html",
        "static/main.js",
        "nowhere",
    ],
)
def test_other_paths_are_not_found(viz: Service, path: str) -> None:
    version = PageServer("default", "").version
    assert httpx.get(f"{viz.url}/{path.format(version=version)}").status_code in (400, 404)


def test_vendored_files_have_the_published_hashes() -> None:
    folder = FOLDER / "vendor"
    hashes = {}
    for line in (folder / "VENDORED").read_text().splitlines():
        if not line.startswith("#"):
            digest, name = line.split()
            hashes[name] = digest
    files = {path.name for path in folder.iterdir() if path.suffix != ".ts" and path.name != "VENDORED"}
    assert files == hashes.keys()
    for name, digest in hashes.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name


def test_the_modules_pass_the_type_check() -> None:
    compiler = require_program("tsc", hint="npm install -g typescript@5.9")
    project = Path("services") / "viz" / "jsconfig.json"
    checked = subprocess.run(
        [compiler, "--project", str(project)], capture_output=True, text=True, timeout=100, check=False
    )
    assert (checked.returncode, checked.stdout) == (0, "")


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "seventy"), ("API_URL", "javascript:alert(1)"), ("API_URL", "https://a b"), ("MAX_BACKLOG", "0")],
)
def test_an_invalid_setting_exits_with_2_and_one_line(processes: Processes, name: str, value: str) -> None:
    viz = processes.start("viz", wait=False, **{name: value})
    assert viz.process.wait(timeout=60) == 2
    (line,) = viz.log.read_text().splitlines()
    assert line.startswith(f"wrong setting {name}={value!r}: ")
