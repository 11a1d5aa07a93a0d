"""Settings from environment variables, read once. A wrong one stops the process with its name, its value and what is allowed."""

import os
import re
import sys
from typing import Annotated, Literal, NoReturn, get_args

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from sector.process.log_stream import print_error

EXIT_WRONG_SETTING = 2
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]@:\s]+)(:(?P<port>[0-9]{1,5}))?")
_MAX_PORT = 65535


def _with_hosts(url: str) -> str:
    """Return the URL. Raises ValueError if its hosts and ports are invalid: a password may contain what ends the host."""
    scheme, _, rest = url.partition("://")
    netloc = re.split("[/?#]", rest, maxsplit=1)[0]
    if scheme == "unix" or not netloc:
        return url
    user, _, hosts = netloc.rpartition("@")
    for host in hosts.split(","):
        match = _HOST.fullmatch(host)
        if "[" in user or match is None or not 1 <= int(match["port"] or 1) <= _MAX_PORT:
            raise ValueError(
                "a host or a port is invalid; in a password write / ? # [ ] @ : % and , as %2F %3F %23 %5B %5D %40 %3A %25 and %2C"
            )
    return url


RedisUrl = Annotated[
    str,
    AfterValidator(_with_hosts),
    Field(
        default="redis://redis:6379/0",
        pattern=r"^((redis|rediss|unix|redis\+cluster)://.+|redis\+sentinel://[^/]+/[^/?]+.*)$",
        description="Where Redis is: redis://user:password@host:6379/0, rediss:// (TLS), unix://,"
        " redis+sentinel://user:password@host:26379,host:26379/service/0 or redis+cluster://user:password@host:6379,host:6379.",
    ),
]
SimIdSetting = Annotated[
    str,
    Field(
        default="default",
        pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$",
        description="Id of the sim: lower-case letters, digits, - and _, up to 63.",
    ),
]
SimsSetting = Annotated[
    str,
    Field(
        default="default",
        pattern=r"^(\*|[a-z0-9][a-z0-9_-]{0,62})(,(\*|[a-z0-9][a-z0-9_-]{0,62}))*$",
        description="Ids of the sims, several with commas, and * for all there are, as in default,*:"
        " lower-case letters, digits, - and _, up to 63 each.",
    ),
]
Port = Annotated[int, Field(ge=1, le=65535)]
OperatorPort = Annotated[
    int,
    Field(
        default=0,
        ge=0,
        le=65535,
        description="Port of /health and /metrics, which the public port then answers with 404: do not route it from outside."
        " 0 to 65535. 0: they are at PORT.",
    ),
]


class Settings(BaseSettings):
    """What every process can be told. Each field is an environment variable of its name in capitals."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True)

    host: str = Field(
        default="0.0.0.0",  # nosec B104  # in a container, which decides what is published
        min_length=1,
        description="Address to listen at, such as 0.0.0.0 or 127.0.0.1.",
    )
    log_level: str = Field(
        default="info", pattern="^(debug|info|warning|error)$", description="debug, info, warning or error."
    )
    log_format: Literal["auto", "json", "text"] = Field(
        default="auto",
        description="json, a line each for machines; text, for people; auto: text on a terminal, json elsewhere.",
    )
    reuse_port: bool = Field(
        default=False,
        description="Whether other processes may listen at the same port, as on a machine of many processors: the system shares the"
        " connections among them. true or false.",
    )
    prometheus_multiproc_dir: str = Field(
        default="",
        description="A folder for metrics, where processes share a port: whichever is asked for /metrics answers for all of them."
        " Empty: for itself alone.",
    )
    max_connections: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="Connections of clients that may be open at once. 0: 20000, or less where the descriptor limit (ulimit -n) is lower;"
        " to 1000000.",
    )
    max_connections_per_address: int = Field(
        default=1000,
        ge=0,
        le=1_000_000,
        description="Of those, how many may come from one address, or from one /64 network of IPv6. 0: any number; to 1000000."
        " Not used behind PROXIES.",
    )
    idle_timeout_s: float = Field(
        default=15.0,
        ge=1,
        le=3600,
        description="Seconds that a connection may be idle, before its first request and between requests, 1 to 3600."
        " Behind a proxy set more than the proxy keeps its connections.",
    )
    drain_s: float = Field(
        default=0.0,
        ge=0,
        le=300,
        description="Seconds to serve on after SIGTERM, no longer ready, until requests go elsewhere. 0 to 300.",
    )


class TracedSettings(Settings):
    """What a process can be told besides that has a part in traces."""

    traces_url: str = Field(
        default="",
        pattern=r"^(|https?://\S+)$",
        description="A collector of traces that takes OTLP over HTTP, such as http://collector:4318. Needs sector-tracing,"
        " which images have. Empty: no traces.",
    )
    traces_a_second: float = Field(
        default=10.0,
        ge=0.001,
        le=10_000,
        description="Traces that this process begins a second at most, 0.001 to 10000.",
    )


def load[T: Settings](kind: type[T], *, about: str) -> T:
    """Return the settings of this process. `--help` prints them all; a wrong value or argument exits with code 2."""
    if sys.argv[1:] in (["-h"], ["--help"]):
        print(_help(kind, about))
        sys.exit(0)
    if sys.argv[1:]:
        _refuse([f"unknown argument {sys.argv[1]!r}: this process takes environment variables only; --help lists them"])
    try:
        return kind()
    except ValidationError as error:
        _refuse([_complaint(kind, [str(part) for part in each["loc"]], each["msg"]) for each in error.errors()])


def _refuse(complaints: list[str]) -> NoReturn:
    for complaint in complaints:
        print_error(complaint)
    sys.exit(EXIT_WRONG_SETTING)


def _complaint(kind: type[Settings], path: list[str], message: str) -> str:
    name, inner = path[0], ".".join(path[1:])
    value = next((value for key, value in os.environ.items() if key.lower() == name), "")
    hidden = _is_secret(kind.model_fields[name].annotation) or ("://" in value and "@" in value)
    shown = "(hidden)" if hidden else repr(value)
    return f"wrong setting {name.upper()}={shown}: {f'{inner}: ' if inner else ''}{message}. Allowed: {kind.model_fields[name].description}"


def _is_secret(annotation: object) -> bool:
    return annotation is SecretStr or SecretStr in get_args(annotation)


def _help(kind: type[Settings], about: str) -> str:
    lines = [about, "", "Environment variables:"]
    for name, field in kind.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        lines += [f"  {name.upper()}  (default: {default!s})", f"      {field.description}"]
    return "\n".join(lines)
