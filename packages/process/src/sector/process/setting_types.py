"""Types of settings. Each parses a value to its canonical form, or raises an error that states what is wrong."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, SecretStr

from sector.models.certificates import check_authorities
from sector.models.hosts import parse_host
from sector.models.regular_file import FileError
from sector.models.secret_text import clean_secret, clean_token
from sector.models.urls import HttpUrl, parse_http_url


def _to_lower_case(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _parse_url(value: object) -> object:
    return parse_http_url(value) if isinstance(value, str) else value


def _parse_url_with_credentials(value: object) -> object:
    return parse_http_url(value, userinfo=True) if isinstance(value, str) else value


def _clean_secret(secret: SecretStr | None) -> SecretStr | None:
    return None if secret is None else SecretStr(clean_secret(secret.get_secret_value()))


def _clean_token(token: SecretStr | None) -> SecretStr | None:
    return None if token is None else SecretStr(clean_token(token.get_secret_value()) or _raise_empty())


def _raise_empty() -> str:
    raise ValueError("it contains only white space")


def _check_certificate_file(path: Path | None) -> Path | None:
    if path is not None:
        try:
            check_authorities(str(path))
        except FileError as error:
            raise ValueError(error.reason) from error
    return path


def _check_certificate_folder(path: Path | None) -> Path | None:
    if path is not None:
        try:
            os.listdir(path)
        except OSError as error:
            raise ValueError(f"it cannot be read: {error.strerror}") from error
    return path


CertificateFile = Annotated[Path | None, AfterValidator(_check_certificate_file)]
"""A readable file of certificates."""
CertificateFolder = Annotated[Path | None, AfterValidator(_check_certificate_folder)]
"""A readable folder."""
LowerCase = BeforeValidator(_to_lower_case)
"""A choice that ignores case."""
SecretSetting = Annotated[SecretStr | None, AfterValidator(_clean_secret)]
"""A secret. White space around it is removed, and quotes and control characters are errors."""
TokenSetting = Annotated[SecretStr | None, AfterValidator(_clean_token)]
"""A secret that is sent in a header."""
HttpUrlSetting = Annotated[HttpUrl, BeforeValidator(_parse_url), PlainSerializer(str)]
CredentialsUrlSetting = Annotated[HttpUrl | None, BeforeValidator(_parse_url_with_credentials), PlainSerializer(str)]
"""A URL that may have a user and a password."""
HostSetting = Annotated[str, AfterValidator(parse_host)]
SimIdSetting = Annotated[
    str,
    Field(
        default="default",
        pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$",
        description="Id of the sim: up to 63 lower-case letters, digits, - and _.",
    ),
]
SimsSetting = Annotated[
    str,
    Field(
        default="default",
        pattern=r"^(\*|[a-z0-9][a-z0-9_-]{0,62})(,(\*|[a-z0-9][a-z0-9_-]{0,62}))*$",
        description="Ids of the sims, separated by commas, and * for all others, such as default,*:"
        " up to 63 lower-case letters, digits, - and _ each.",
    ),
]
Port = Annotated[int, Field(ge=1, le=65535)]
OperatorPort = Annotated[
    int,
    Field(
        default=0,
        ge=0,
        le=65535,
        description="Private port of /health and /metrics, which the public port then answers with 404."
        " 0 to 65535. 0: use PORT.",
    ),
]
