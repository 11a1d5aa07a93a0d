"""Redaction: registered secrets and text that looks like a secret are hidden in every form."""

import subprocess
import sys

import pytest

from fixtures.processes import environment
from sector.process.logs import line, printable
from sector.process.redaction import redact, register_secrets

SECRET = 'hunter2 "quoted" \\ & ü/#'


@pytest.fixture(autouse=True, scope="module")
def registered_secrets() -> None:
    register_secrets([SECRET, "short"])


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        f"{{'password': {SECRET!r}}}",
        line({"event": f"refused {SECRET}"}),
        line({"exception": f"ValueError: {SECRET!r}"}),
        printable(f"a\n{SECRET}"),
        "redis://u:hunter2%20%22quoted%22%20%5C%20%26%20%C3%BC%2F%23@h",
        "redis://someone:hunter2@host:6379/0",
        "connecting to http://hunter2@host failed",
        "Illegal header value b'Bearer hunter2hunter2'",
        "token eyJhbGciOiJIUzI1NiJ9.hunter2hunter2.hunter2",
        "{'kty': 'oct', 'k': 'hunter2hunter2'}",
        '{"kty":"RSA","d":"hunter2hunter2"}',
        r"{\"k\": \"hunter2hunter2\"}",
    ],
)
def test_a_secret_is_hidden(text: str) -> None:
    assert "hunter2" not in redact(text)
    assert "***" in redact(text)


@pytest.mark.parametrize(
    "text",
    ["short", "sim default ticks", "http://host:80/path?a=b", "me@example.org", "bearer of news", '{"k": "small"}'],
)
def test_other_text_is_not_hidden(text: str) -> None:
    assert redact(text) == text


def test_an_uncaught_traceback_has_no_secret_and_no_control_character() -> None:
    code = (
        "import os; from sector.process import Settings, SecretSetting; from sector.process.settings_loader import load_environment\n"
        "from pydantic import Field\n"
        "class One(Settings):\n"
        "    auth_secret: SecretSetting = Field(default=None, description='')\n"
        "load_environment(One); raise RuntimeError(f'{os.environ[\"AUTH_SECRET\"]} \\x1b[31m')\n"
    )
    variables = environment(AUTH_SECRET="hunter2-hunter2-hunter2")
    failed = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert "RuntimeError: *** \\x1b[31m" in failed.stderr
    assert "hunter2" not in failed.stderr
