"""Environment variables of libraries: only documented ones have an effect."""

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from fixtures.file_modes import respect_modes
from fixtures.processes import environment, free_port
from sector.process import Health, create_app
from sector.process.environment import ignore_library_variables, ignored_variables

SAMPLE = Path(__file__).with_name("sample_process.py")
LIBRARIES = ("sanic", "websockets", "prometheus_client", "httpx", "pydantic", "structlog")
READS = re.compile(r"(?:environ\.get\(|environ\[|getenv\()\s*[\"'](\w+)[\"']")
HARMLESS = {
    # These are settings of Sector.
    "PROMETHEUS_MULTIPROC_DIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    # These set the default for coloured output, which Sector sets itself.
    "NO_COLOR",
    "FORCE_COLOR",
    "TERM_PROGRAM",
    # These belong to an unused part of Sanic and to a tool for Pydantic.
    "XDG_RUNTIME_DIR",
    "PYDANTIC_PRIVATE_ALLOW_UNHANDLED_SCHEMA_TYPES",
}
OF_A_WSGI_REQUEST = {"REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "HTTP_ACCEPT", "HTTP_ACCEPT_ENCODING"}


def variables_of(library: str) -> set[str]:
    """Return the names of the variables that the code of a library reads."""
    spec = find_spec(library)
    assert spec is not None
    assert spec.submodule_search_locations
    folder, *_ = spec.submodule_search_locations
    return {name for path in Path(folder).rglob("*.py") for name in READS.findall(path.read_text(errors="replace"))}


@pytest.mark.parametrize("library", LIBRARIES)
def test_each_variable_of_a_library_is_removed_or_known(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names = variables_of(library) - HARMLESS - OF_A_WSGI_REQUEST - {"prometheus_multiproc_dir"}
    for name in names:
        monkeypatch.setenv(name, "x")
    ignore_library_variables()
    assert names <= set(ignored_variables())


@pytest.mark.parametrize("name", ["http_proxy", "HTTPS_PROXY", "no_proxy", "ALL_PROXY", "SSLKEYLOGFILE", "OTEL_X"])
def test_a_variable_is_removed_in_any_spelling(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "x")
    monkeypatch.setenv("OTHER", "x")
    ignore_library_variables()
    assert name in ignored_variables()
    assert "OTHER" not in ignored_variables()


def test_the_folder_of_metrics_has_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    monkeypatch.setenv("prometheus_multiproc_dir", "/somewhere")
    ignore_library_variables()
    assert os.environ["PROMETHEUS_MULTIPROC_DIR"] == "/somewhere"
    assert "prometheus_multiproc_dir" not in os.environ
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR")


def test_variables_do_not_configure_sanic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANIC_REAL_IP_HEADER", "x-me")
    monkeypatch.setenv("SANIC_REQUEST_BUFFER_SIZE", "abc")
    app = create_app(Health("configured"))
    assert app.config.REAL_IP_HEADER is None
    assert app.config.REQUEST_BUFFER_SIZE == 65536
    type(app).unregister_app(app)


def test_a_process_logs_the_ignored_variables_once() -> None:
    variables = {"SANIC_REQUEST_BUFFER_SIZE": "abc", "WEBSOCKETS_MAX_LINE_LENGTH": "abc", "http_proxy": "http://[::1"}
    command = [sys.executable, str(SAMPLE), str(free_port())]
    done = subprocess.run(
        command, env=environment(WORK="fail", **variables), capture_output=True, text=True, check=False, timeout=60
    )
    first, *_ = (json.loads(line) for line in done.stderr.splitlines())
    assert first["event"] == "environment variables of libraries ignored"
    assert first["variables"] == ["SANIC_REQUEST_BUFFER_SIZE", "WEBSOCKETS_MAX_LINE_LENGTH", "http_proxy"]


LOAD = "from sector.process import Settings, load; load(Settings, about='a process')"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("SSL_CERT_FILE", "/dev/zero", "it cannot be read: it is a device, not a regular file"),
        ("SSL_CERT_FILE", "/missing", "it cannot be read: No such file or directory"),
        ("SSL_CERT_FILE", "/etc", "it cannot be read: Is a directory"),
        ("SSL_CERT_FILE", "/etc/passwd", "it contains no certificate (PEM)"),
        ("SSL_CERT_DIR", "/missing", "it cannot be read: No such file or directory"),
        ("SSL_CERT_DIR", "/etc/passwd", "it cannot be read: Not a directory"),
    ],
)
def test_unreadable_certificates_are_a_wrong_setting(name: str, value: str, reason: str) -> None:
    command = [sys.executable, "-c", LOAD]
    done = subprocess.run(
        command, env=environment(**{name: value}), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"wrong setting {name}='{value}'")
    assert reason in line


@pytest.mark.parametrize("code", [LOAD, "import sector.process"], ids=["at the start", "at import"])
def test_a_certificate_file_of_another_user_is_a_wrong_setting(code: str, tmp_path: Path) -> None:
    path = tmp_path / "private.pem"
    path.touch(0)
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(SSL_CERT_FILE=str(path)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=respect_modes,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"wrong setting SSL_CERT_FILE='{path}': it cannot be read: Permission denied")


def test_a_certificate_file_that_is_a_pipe_is_rejected_at_import(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    command = [sys.executable, "-c", "import sector.process, ssl; ssl.create_default_context()"]
    variables = environment(SSL_CERT_FILE=str(path))
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"wrong setting SSL_CERT_FILE='{path}': it cannot be read: it is a named pipe")
