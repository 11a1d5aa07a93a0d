"""Settings from environment variables, read once. A wrong one stops the process with its name, its value and what is allowed."""

import re
import sys
from collections.abc import Iterator
from typing import Annotated, Literal, NoReturn, Protocol, get_args, runtime_checkable

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from sector.models.error_texts import describe_error
from sector.models.printable import printable
from sector.process.environment import ignore_library_variables
from sector.process.log_stream import print_error
from sector.process.redaction import redact_tracebacks, register_secrets
from sector.process.renamed_settings import EarlierName, EarlierNamesSource, find_variable
from sector.process.setting_types import (
    CertificateFile,
    CertificateFolder,
    CredentialsUrlSetting,
    HostSetting,
    LowerCase,
)

EXIT_WRONG_SETTING = 2
_MAX_SHOWN = 200
_BARE_URL = re.compile(r"([a-z+]{1,20}://)?[\w.-]*(:[0-9]{1,5})?(/[\w-]{0,20})?")
"""A URL of one host, in which there is no room for a password."""


class Settings(BaseSettings):
    """What every process can be told. Each field is an environment variable of its name in capitals."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True, enable_decoding=False)

    host: HostSetting = Field(
        default="0.0.0.0",  # nosec B104  # in a container, which decides what is published
        min_length=1,
        description="Address to listen at, such as 0.0.0.0 or 127.0.0.1.",
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], LowerCase] = Field(
        default="info", description="debug, info, warning or error."
    )
    log_format: Annotated[Literal["auto", "json", "text"], LowerCase] = Field(
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
        description="Of those, how many may come from one address, or from one network of IPv6 (IPV6_PREFIX). 0: any number; to 1000000."
        " Not used behind PROXIES.",
    )
    ipv6_prefix: int = Field(
        default=64,
        ge=16,
        le=128,
        description="Bits of the IPv6 networks that are limited as one address: a client has a /64, or more. 16 to 128.",
    )
    idle_timeout_s: float = Field(
        default=15.0,
        ge=1,
        le=86_400,
        description="Seconds that a connection may be idle, before its first request and between requests, 1 to 86400."
        " Not set, with PROXIES: 3700, since a proxy must close its connections before this process does.",
    )
    ssl_cert_file: CertificateFile = Field(
        default=None,
        description="A file (PEM) of the authorities whose certificates are trusted, for TLS with the API, Redis and collectors."
        " Empty: those of the system.",
    )
    ssl_cert_dir: CertificateFolder = Field(
        default=None, description="A folder of such files, as `openssl rehash` prepares it. Empty: that of the system."
    )
    shutdown_delay_s: Annotated[float, EarlierName("DRAIN_S")] = Field(
        default=0.0,
        ge=0,
        le=300,
        description="Seconds to serve on after SIGTERM, no longer ready, until requests go elsewhere. 0 to 300.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read environment variables alone, those with earlier names last."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, EarlierNamesSource(settings_cls)

    @model_validator(mode="before")
    @classmethod
    def _strip(cls, values: dict[str, object]) -> dict[str, object]:
        """Remove white space around values, as files leave it. A value of white space alone is not the same as none."""
        return {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}


class TracedSettings(Settings):
    """What a process can be told besides that has a part in traces."""

    traces_url: CredentialsUrlSetting = Field(
        default=None,
        description="A collector of traces that takes OTLP over HTTP, such as http://collector:4318. Needs sector-tracing,"
        " which images have. Empty: no traces.",
    )
    max_traces_per_second: Annotated[float, EarlierName("TRACES_A_SECOND")] = Field(
        default=10.0,
        ge=0.001,
        le=10_000,
        description="Traces that this process begins per second at most, 0.001 to 10000.",
    )


def load[T: Settings](kind: type[T], *, about: str) -> T:
    """Return the settings of this process. `--help` prints them all; a wrong value or argument exits with code 2."""
    if sys.argv[1:] in (["-h"], ["--help"]):
        print(_help(kind, about))
        sys.exit(0)
    if sys.argv[1:]:
        _refuse([f"unknown argument {sys.argv[1]!r}: this process takes environment variables only; --help lists them"])
    return load_environment(kind)


def load_environment[T: Settings](kind: type[T]) -> T:
    """Return the settings of this process; a wrong value exits with code 2. The command line is the caller's."""
    ignore_library_variables()
    redact_tracebacks()
    try:
        settings = kind()
    except ValidationError as error:
        wrong: dict[str, list[ErrorDetails]] = {}
        for each in error.errors(include_url=False, include_input=False):
            wrong.setdefault(str(each["loc"][0]), []).append(each)
        _refuse([_complaint(kind, name, errors) for name, errors in wrong.items()])
    register_secrets(_secrets_of(settings))
    return settings


@runtime_checkable
class _HasSecrets(Protocol):
    """A value that has secrets in it, as a URL has a password."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secrets, each as a text."""


def _secrets_of(settings: Settings) -> Iterator[str]:
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            yield value.get_secret_value()
        elif isinstance(value, _HasSecrets):
            yield from value.secrets


def _refuse(complaints: list[str]) -> NoReturn:
    for complaint in complaints:
        print_error(printable(complaint))
    sys.exit(EXIT_WRONG_SETTING)


def _complaint(kind: type[Settings], name: str, errors: list[ErrorDetails]) -> str:
    """Return the line for one setting: its first error, and how many more there are."""
    field, inner = kind.model_fields[name], ".".join(map(str, errors[0]["loc"][1:]))
    variable, value = find_variable(kind, name)
    more = f" (and {len(errors) - 1} more errors)" if len(errors) > 1 else ""
    return (
        f"wrong setting {variable}={_shown(field, value)}: {f'{inner}: ' if inner else ''}{describe_error(errors[0])}{more}."
        f" Allowed: {field.description}"
    )


def _shown(field: FieldInfo, value: str) -> str:
    """Return a value as a message shows it: nothing of one that is a secret, or may hold a password."""
    may_hold_one = (
        "@" in value or ("://" in value and "?" in value) or (not field.repr and not _BARE_URL.fullmatch(value))
    )
    if may_hold_one or _is_secret(field.annotation):
        return "(hidden)"
    return repr(value if len(value) <= _MAX_SHOWN else f"{value[:_MAX_SHOWN]}…")


def _is_secret(annotation: object) -> bool:
    return annotation is SecretStr or SecretStr in get_args(annotation)


def _help(kind: type[Settings], about: str) -> str:
    lines = [about, "", "Environment variables:"]
    for name, field in kind.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        lines += [f"  {name.upper()}  (default: {default!s})", f"      {field.description}"]
    return "\n".join(lines)
