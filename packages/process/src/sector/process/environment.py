"""Environment variables that libraries read by themselves: removed, so that only documented settings have an effect.

Sanic takes `SANIC_*` as its configuration, websockets and OpenTelemetry have variables of their own, and HTTP clients send requests through
the proxies that they find. A value that a library cannot parse ends the process with a traceback; others change limits, or which
client address is trusted. Some are read at import, so this module is imported before those libraries.

`SSL_CERT_FILE` and `SSL_CERT_DIR` are settings of every process, which validates them. A file that would hold an import up is refused
here.
"""

import os
import sys

_PREFIXES = ("SANIC_", "WEBSOCKETS_", "OTEL_")
_NAMES = frozenset(
    {
        # httpx and requests. Processes of Sector reach each other, Redis and collectors directly.
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "NETRC",
        # Python's ssl writes the keys of TLS sessions there, and fails where it cannot.
        "SSLKEYLOGFILE",
        # prometheus_client.
        "PROMETHEUS_DISABLE_CREATED_SERIES",
        "PROMETHEUS_LEGACY_NAME_VALIDATION",
        "PYDANTIC_DISABLE_PLUGINS",
    }
)
_OLD_METRICS = "prometheus_multiproc_dir"
_ignored: set[str] = set()


def ignore_library_variables() -> None:
    """Remove the variables of libraries from the environment of this process, and so of its children."""
    if folder := os.environ.pop(_OLD_METRICS, ""):
        # prometheus_client takes both; our own code, and its children, know one.
        os.environ.setdefault(_OLD_METRICS.upper(), folder)
    for name in tuple(os.environ):
        if name.upper() in _NAMES or name.upper().startswith(_PREFIXES):
            del os.environ[name]
            _ignored.add(name)


def ignored_variables() -> list[str]:
    """Return the names of the variables that were removed."""
    return sorted(_ignored)


def check_certificate_file() -> None:
    """End the process if SSL_CERT_FILE is a pipe, a device or very large: libraries read it when they are imported.

    The setting says what else may be wrong with it.
    """
    path = os.environ.get("SSL_CERT_FILE")
    # These do not raise, whatever the path is.
    if not path or not os.path.exists(path) or os.path.isdir(path):  # noqa: PTH110, PTH112
        return
    # Here, since Pydantic comes with them, which is one of the libraries that read variables.
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
