"""The page and its parts, as the viz serves them."""

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
from sector.viz.page import FOLDER, Page

IMPORT = re.compile(r'(?:from|^import) "(\.[^"]+)"', re.MULTILINE)
LAYERS = ["core", "codec", "world", "vendor", "ui", "net", "time", "map", "play", "panels"]
"""The folders of the modules. A module imports from its own folder and from those before it."""


@pytest.fixture(scope="module")
def viz(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A viz whose Redis is away: the page is served all the same. It is started once for all of these."""
    processes = Processes(tmp_path_factory.mktemp("viz"))
    started = processes.start("viz", wait=False, REDIS_URL="redis://127.0.0.1:1/0")
    started.wait_until(ready=False)
    yield started
    processes.end_all()


def parts(viz: Service) -> list[str]:
    """Return the addresses of all that the page and its modules refer to."""
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


def test_all_parts_are_served_from_here_and_kept_for_ever(viz: Service) -> None:
    found = parts(viz)
    assert len(found) > 30
    for path in found:
        assert not path.startswith(("http", "/")), path
        answer = httpx.get(f"{viz.url}/{path}")
        assert answer.status_code == 200, path
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_no_part_is_there_that_the_page_does_not_need(viz: Service) -> None:
    needed = {path.split("/", 2)[2] for path in parts(viz)}
    kept = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.suffix in (".js", ".css", ".svg")}
    assert kept == needed
    preloaded = re.findall(r'rel="modulepreload" href="static/\w+/([^"]+)"', httpx.get(viz.url).text)
    assert sorted(preloaded) == sorted(name for name in kept if name.endswith(".js"))


def test_modules_in_folders_are_served_and_a_folder_is_not(viz: Service) -> None:
    version = Page("default", "").version
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


def test_the_page_itself_is_asked_for_anew_and_its_policy_lets_nothing_in_from_elsewhere(viz: Service) -> None:
    page = httpx.get(viz.url)
    assert page.headers["cache-control"] == "no-cache"
    policy = page.headers["content-security-policy"]
    assert policy.startswith(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    )
    assert "unsafe" not in policy
    again = httpx.get(viz.url, headers={"If-None-Match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("coding", ["br", "gzip", "identity"])
def test_it_comes_in_each_coding(viz: Service, coding: str) -> None:
    plain = httpx.get(viz.url, headers={"Accept-Encoding": "identity"})
    coded = httpx.get(viz.url, headers={"Accept-Encoding": coding})
    assert coded.headers.get("content-encoding", "identity") == coding
    assert coded.headers["vary"] == "Accept-Encoding"
    assert coded.text == plain.text


def test_with_an_api_elsewhere_the_page_may_speak_to_it_and_to_nobody_else(processes: Processes) -> None:
    viz = processes.start("viz", wait=False, API_URL="https://api.example.org/v1")
    viz.wait_until(ready=False)
    page = httpx.get(viz.url)
    assert "connect-src 'self' https://api.example.org;" in page.headers["content-security-policy"]
    settings = re.search(r'name="sector" content="([^"]+)"', page.text)
    assert settings is not None
    assert unescape(settings[1]) == '{"sim":"default","api":"https://api.example.org/v1","polling":false}'


def test_the_address_of_the_parts_changes_with_what_the_page_is_told_nothing_but_its_files() -> None:
    assert Page("default", "").version == Page("other", "/api").version


def test_the_script_that_starts_the_page_is_served_whatever_the_version(viz: Service) -> None:
    other = httpx.get(f"{viz.url}/static/0000000000000000/boot.js")
    own = httpx.get(f"{viz.url}/static/{Page('default', '').version}/boot.js")
    assert (other.status_code, other.text) == (200, own.text)
    # The cache would take it for that of the other version.
    assert other.headers["cache-control"] == "no-store"
    assert "immutable" in own.headers["cache-control"]


def test_the_page_itself_says_what_to_do_if_nothing_else_loads(viz: Service) -> None:
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
def test_nothing_else_is_served(viz: Service, path: str) -> None:
    version = Page("default", "").version
    assert httpx.get(f"{viz.url}/{path.format(version=version)}").status_code in (400, 404)


def test_what_is_vendored_is_what_was_published() -> None:
    vendored = FOLDER / "vendor"
    listed = {}
    for line in (vendored / "VENDORED").read_text().splitlines():
        if not line.startswith("#"):
            digest, name = line.split()
            listed[name] = digest
    kept = {path.name for path in vendored.iterdir() if path.suffix != ".ts" and path.name != "VENDORED"}
    assert kept == listed.keys()
    for name, digest in listed.items():
        assert hashlib.sha256((vendored / name).read_bytes()).hexdigest() == digest, name


def test_its_modules_are_rightly_typed() -> None:
    compiler = require_program("tsc", hint="npm install -g typescript@5.9")
    project = Path("services") / "viz" / "jsconfig.json"
    checked = subprocess.run(
        [compiler, "--project", str(project)], capture_output=True, text=True, timeout=100, check=False
    )
    assert (checked.returncode, checked.stdout) == (0, "")


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "seventy"), ("API_URL", "javascript:alert(1)"), ("API_URL", "https://a b"), ("MOST_BEHIND", "0")],
)
def test_a_wrong_setting_ends_it_with_2_and_one_line(processes: Processes, name: str, value: str) -> None:
    viz = processes.start("viz", wait=False, **{name: value})
    assert viz.process.wait(timeout=60) == 2
    (line,) = viz.log.read_text().splitlines()
    assert line.startswith(f"wrong setting {name}={value!r}: ")
