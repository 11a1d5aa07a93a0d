"""The settings of every process. `settings_loader` reads them from environment variables."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from sector.models.deprecated_names import deprecated_names
from sector.process.renamed_settings import EarlierName, EarlierNamesSource
from sector.process.setting_types import (
    CertificateFile,
    CertificateFolder,
    CredentialsUrlSetting,
    HostSetting,
    LowerCase,
)

EXIT_WRONG_SETTING = 2
"""The exit code of a process that has an invalid setting."""


class Settings(BaseSettings):
    """The settings of every process. Each field is an environment variable with its name in capitals."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True, enable_decoding=False)

    host: HostSetting = Field(
        default="0.0.0.0",  # nosec B104  # the container decides what is published
        min_length=1,
        description="Address to listen on, such as 0.0.0.0 or 127.0.0.1.",
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], LowerCase] = Field(
        default="info", description="Lowest level to log: debug, info, warning or error."
    )
    log_format: Annotated[Literal["auto", "json", "text"], LowerCase] = Field(
        default="auto",
        description="json: a line for each event; text: for people; auto: text on a terminal, json elsewhere.",
    )
    reuse_port: bool = Field(
        default=False,
        description="Whether several processes may listen on the same port: the system distributes the connections among them."
        " true or false.",
    )
    prometheus_multiproc_dir: str = Field(
        default="",
        description="A folder for the metrics of processes that share a port: /metrics of each shows those of all."
        " Empty: each shows its own.",
    )
    max_connections: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="Maximum number of open client connections. 0: 20000, or less if the descriptor limit (ulimit -n) is lower;"
        " to 1000000.",
    )
    max_connections_per_address: int = Field(
        default=1000,
        ge=0,
        le=1_000_000,
        description="Maximum number of open connections per address, or per IPv6 network (IPV6_PREFIX). 0: no limit; to 1000000."
        " Not used with PROXIES.",
    )
    ipv6_prefix: int = Field(
        default=64,
        ge=16,
        le=128,
        description="Prefix length, in bits, of the IPv6 networks that are limited as one address, 16 to 128.",
    )
    idle_timeout_s: float = Field(
        default=15.0,
        ge=1,
        le=86_400,
        description="Seconds after which an idle connection is closed, 1 to 86400."
        " With PROXIES the default is 3700, because a proxy must close its connections first.",
    )
    ssl_cert_file: CertificateFile = Field(
        default=None,
        description="File (PEM) of trusted certificate authorities, for TLS with the API, Redis and collectors."
        " Empty: those of the system.",
    )
    ssl_cert_dir: CertificateFolder = Field(
        default=None,
        description="Folder of trusted certificate authorities, prepared with `openssl rehash`. Empty: that of the system.",
    )
    shutdown_delay_s: Annotated[float, EarlierName("DRAIN_S")] = Field(
        default=0.0,
        ge=0,
        le=300,
        description="Seconds to keep serving after SIGTERM while the process is not ready, 0 to 300.",
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
        """Read only environment variables, those with earlier names last."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, EarlierNamesSource(settings_cls)

    @model_validator(mode="before")
    @classmethod
    def _strip(cls, values: dict[str, object]) -> dict[str, object]:
        """Remove white space around values, which files often contain.

        A value of only white space stays, because it is not the same as an empty one.
        """
        return {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}


class TracedSettings(Settings):
    """The settings of a process that takes part in traces."""

    traces_url: CredentialsUrlSetting = Field(
        default=None,
        description="URL of a trace collector (OTLP over HTTP), such as http://collector:4318. Needs sector-tracing,"
        " which the images contain. Empty: no traces.",
    )
    max_traces_per_second: Annotated[float, EarlierName("TRACES_A_SECOND")] = Field(
        default=10.0,
        ge=0.001,
        le=10_000,
        description="Traces that this process begins per second at most, 0.001 to 10000.",
    )


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(
        __name__,
        {
            "load": "sector.process.settings_loader.load",
            "load_environment": "sector.process.settings_loader.load_environment",
        },
    )
