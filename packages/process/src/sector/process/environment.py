"""Removal of environment variables that libraries read themselves, so that only documented settings have an effect.

Sanic reads `SANIC_*` as its configuration, and websockets and OpenTelemetry have their own variables. HTTP clients send
requests through the proxies that variables name. A value that a library cannot parse ends the process with a traceback.
Other variables change limits or the trusted client address. Libraries read some of them at import, so this module must
be imported first.

`SSL_CERT_FILE` and `SSL_CERT_DIR` are settings of every process, which validates them. This module rejects a file that
would block an import.
"""

import os
import sys

_PREFIXES = ("SANIC_", "WEBSOCKETS_", "OTEL_")
_NAMES = frozenset(
    {
        # The proxies of httpx and requests. Processes of Sector connect to each other, Redis and collectors directly.
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "NETRC",
        # The ssl module of Python writes the keys of TLS sessions to this file, and fails if it cannot.
        "SSLKEYLOGFILE",
        # The variable of prometheus_client.
        "PROMETHEUS_DISABLE_CREATED_SERIES",
        "PROMETHEUS_LEGACY_NAME_VALIDATION",
        "PYDANTIC_DISABLE_PLUGINS",
    }
)
_OLD_METRICS = "prometheus_multiproc_dir"
_ignored: set[str] = set()


def ignore_library_variables() -> None:
    """Remove the variables of libraries from the environment of this process and of its children."""
    if folder := os.environ.pop(_OLD_METRICS, ""):
        # prometheus_client reads both names. Our own code and its children use only one.
        os.environ.setdefault(_OLD_METRICS.upper(), folder)
    for name in tuple(os.environ):
        if name.upper() in _NAMES or name.upper().startswith(_PREFIXES):
            del os.environ[name]
            _ignored.add(name)


def ignored_variables() -> list[str]:
    """Return the names of the variables that were removed."""
    return sorted(_ignored)


def check_certificate_file() -> None:
    """End the process if SSL_CERT_FILE is a pipe, a device or very large. Libraries read it when they are imported.

    The setting reports all other errors of the file.
    """
    path = os.environ.get("SSL_CERT_FILE")
    # These functions do not raise for any path.
    if not path or not os.path.exists(path) or os.path.isdir(path):  # noqa: PTH110, PTH112
        return
    # The import is local, because it also imports Pydantic, which reads environment variables.
    from sector.models.certificates import MAX_BYTES
    from sector.models.printable import printable
    from sector.models.regular_file import FileError, read_file
    from sector.process.log_stream import print_error

    try:
        read_file(path, MAX_BYTES)
    except FileError as error:
        print_error(
            printable(f"wrong setting SSL_CERT_FILE={path!r}: {error.reason}. Allowed: a file (PEM) of certificates")
        )
        sys.exit(2)


ignore_library_variables()
check_certificate_file()
