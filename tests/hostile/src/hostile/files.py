"""Files that settings and commands name, in every invalid state. A new setting, command or state is one line.

The states are those of `fixtures.file_states`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from fixtures.file_states import BAD_CONTENT, FILE_STATES, NO_FILE

_TOO_LARGE = frozenset({"1 GiB", "more than the memory"})
_NO_FOLDER = FILE_STATES.keys() - {"missing", "a folder"}
_NOT_WRITTEN = frozenset({"a folder", "a pipe without a writer", "a loop of links", "a socket"})
"""Devices and new files may be written."""
_NOT_REPLACED = NO_FILE.keys() - {"missing", "a dangling link", "not readable"}
_NO_SECRET = FILE_STATES.keys() - {"missing", "empty"}
"""Standalone writes a new secret where there is none."""


@dataclass(frozen=True, slots=True)
class FileCase:
    """A setting of a service, or a command with `{file}` in it, and the state in which the file is."""

    name: str
    target: str
    value: str
    state: str
    codes: frozenset[int] = frozenset({2})

    def __str__(self) -> str:
        return f"{self.target} {self.name}, {self.state}"


def _cases(
    target: str, name: str, value: str, states: Iterable[str], codes: frozenset[int] = frozenset({2})
) -> tuple[FileCase, ...]:
    return tuple(FileCase(name, target, value, state, codes) for state in FILE_STATES if state in set(states))


SETTINGS = (
    *_cases("api", "AUTH_JWKS", "{file}", FILE_STATES),
    *_cases("worker", "SIM_MAP", "{file}", FILE_STATES),
    *_cases("bot", "SSL_CERT_FILE", "{file}", FILE_STATES),
    *_cases("standalone", "SSL_CERT_FILE", "{file}", _TOO_LARGE | {"a pipe without a writer", "binary"}),
    *_cases("worker", "SSL_CERT_DIR", "{file}", FILE_STATES.keys() - {"a folder"}),
    *_cases("viz", "PROMETHEUS_MULTIPROC_DIR", "{file}", _NO_FOLDER),
    *_cases("api", "REDIS_URL", "rediss://h?ssl_ca_certs={file}", FILE_STATES),
    *_cases("viz", "REDIS_URL", "rediss://h?ssl_certfile={file}&ssl_keyfile={certificate}", FILE_STATES),
    *_cases("worker", "REDIS_URL", "rediss://h?ssl_certfile={certificate}&ssl_keyfile={file}", FILE_STATES),
    *_cases("viz", "REDIS_URL", "redis+cluster://h:1?ssl=true&ssl_ca_certs={file}", NO_FILE),
    *_cases("api", "REDIS_URL", "redis+sentinel://h/world?ssl=true&ssl_certfile={file}", NO_FILE),
    *_cases("standalone", "REDIS_URL", "rediss://h?ssl_ca_certs={file}", {"a link to /dev/zero", "cut JSON"}),
)
"""A service that is told so ends with 2 and one line."""

_EITHER = frozenset({1, 2})
_ARCHIVE_ERROR = frozenset({1})

COMMANDS = (
    *_cases("sector.world.replay", "FILE", "{file}", FILE_STATES),
    *_cases("sector.state", "import", "import {file} new", NO_FILE),
    *_cases("sector.state", "import", "import {file} new", BAD_CONTENT, _ARCHIVE_ERROR),
    *_cases("sector.state", "export", "export default {file}", _NOT_REPLACED),
    *_cases("sector.world.maps", "check", "check {file}", {*NO_FILE, *_TOO_LARGE}),
    *_cases("sector.world.maps", "draw", "draw {file}", {*NO_FILE, *_TOO_LARGE}),
    *_cases("sector.world.maps", "the map", "check {file}", BAD_CONTENT.keys() - _TOO_LARGE, frozenset({1})),
    *_cases("sector.world.classic", "MAP", "{file} 100 10 log true true", NO_FILE),
    *_cases("sector.world.classic", "MAP", "{file} 100 10 log true true", BAD_CONTENT.keys() - {"empty"}, _EITHER),
    *_cases("sector.world.classic", "LOG", "map 100 10 {file} true true", _NOT_WRITTEN),
    *_cases("sector.standalone", "auth-secret", "--data . --port-base {base} (auth-secret)", _NO_SECRET),
    *_cases("sector.standalone", "--data", "--data {file} --port-base {base}", _NO_FOLDER),
    *_cases("sector.standalone", "logs", "--data . --port-base {base} (logs)", _NO_FOLDER),
    *_cases("sector.standalone", "valkey", "--data . --port-base {base} (valkey)", _NO_FOLDER),
    *_cases("sector.standalone", "a log", "--data . --port-base {base} (logs/worker.log)", _NOT_WRITTEN),
)
"""A command that ends with one of `codes` and one line. In parentheses: where the file lies, if it is no argument."""

AT_RUN_TIME = tuple(FILE_STATES)
"""What the file of keys becomes while the API runs."""

SOCKETS = tuple(FILE_STATES)
"""What lies at the path of a Unix socket of Redis: the processes start, and report it."""

OF_METRICS = tuple(FILE_STATES.keys() - {"missing"})
"""What lies among the files of metrics: of a process that ended, and of the process itself."""
