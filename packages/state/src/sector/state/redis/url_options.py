"""The options of Redis URLs: which ones each scheme supports, and how they are parsed."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from sector.models.certificates import check_authorities, check_certificate
from sector.models.regular_file import FileError, check_file
from sector.models.urls import UrlError, percent_decode

type Option = str | int | float | bool

_MAX_DB = 2**31 - 1
_MAX_CONNECTIONS = 65_536
_MAX_SHOWN = 200
_NAME = re.compile(r"[a-z_]{1,40}")
PASSWORD_HINT = (
    "write in a password / ? # [ ] @ : % and , as %2F %3F %23 %5B %5D %40 %3A %25 and %2C"  # noqa: S105  # nosec B105
)


def _number(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and least <= int(text) <= most):
            raise ValueError(f"not a number from {least} to {most}")
        return int(text)

    return parse


def _seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,6})?", text) or not 0.01 <= float(text) <= 3600:
        raise ValueError("not a number of seconds from 0.01 to 3600")
    return float(text)


def _bool(text: str) -> bool:
    value = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(text.lower())
    if value is None:
        raise ValueError("not true or false")
    return value


def _file(text: str) -> str:
    try:
        check_file(text)
    except FileError as error:
        raise ValueError(f"not a readable file ({_quoted(text)}: {error.reason})") from error
    return text


def _quoted(path: str) -> str:
    return repr(path if len(path) <= _MAX_SHOWN else f"{path[:_MAX_SHOWN]}…")


def _requirement(text: str) -> str:
    if text not in ("required", "optional", "none"):
        raise ValueError("not one of required, optional and none")
    return text


def _client_name(text: str) -> str:
    if not re.fullmatch("[!-~]+", text):
        raise ValueError("not a name of ASCII characters without spaces")
    return text


def _text(text: str) -> str:
    return text


_EVERYWHERE: Mapping[str, Callable[[str], Option]] = {
    "socket_timeout": _seconds,
    "socket_connect_timeout": _seconds,
    "socket_keepalive": _bool,
    "health_check_interval": _number(0, 3600),
    "max_connections": _number(1, _MAX_CONNECTIONS),
    "client_name": _client_name,
}
_OF_TLS: Mapping[str, Callable[[str], Option]] = {
    "ssl_ca_certs": _file,
    "ssl_certfile": _file,
    "ssl_keyfile": _file,
    "ssl_cert_reqs": _requirement,
    "ssl_check_hostname": _bool,
}
_CREDENTIALS: Mapping[str, Callable[[str], Option]] = {"username": _text, "password": _text}
_DB: Mapping[str, Callable[[str], Option]] = {"db": _number(0, _MAX_DB)}
_TLS: Mapping[str, Callable[[str], Option]] = {"ssl": _bool, **_OF_TLS}
_OPTIONS: Mapping[str, Mapping[str, Callable[[str], Option]]] = {
    "redis": {**_EVERYWHERE, **_DB, **_CREDENTIALS},
    "rediss": {**_EVERYWHERE, **_DB, **_CREDENTIALS, **_OF_TLS},
    "unix": {**_EVERYWHERE, **_DB, **_CREDENTIALS},
    "redis+sentinel": {**_EVERYWHERE, **_TLS, "sentinel_username": _text, "sentinel_password": _text},
    "redis+cluster": {**_EVERYWHERE, **_TLS},
}


def parse_db(text: str) -> int:
    """Return the database number in the path of a URL. Raises UrlError."""
    try:
        return _DB["db"](text or "0")  # type: ignore[return-value]  # that one returns an int
    except ValueError:
        raise UrlError(f"its path is not a database number from 0 to {_MAX_DB}; {PASSWORD_HINT}") from None


def parse_options(scheme: str, query: str) -> dict[str, Option]:
    """Return the options in the query of a URL. Raises UrlError, whose text does not contain the password."""
    parsers, options = _OPTIONS[scheme], dict[str, Option]()
    for part in query.split("&") if query else ():
        name, equals, value = part.partition("=")
        if name not in parsers or not equals:
            raise UrlError(_unknown(scheme, name, parsers))
        if name in options:
            raise UrlError(f"it has the parameter {name} twice: remove one")
        try:
            options[name] = parsers[name](percent_decode(value))
        except UrlError:
            raise
        except ValueError as error:
            raise UrlError(f"the value of {name} is {error}") from None
    _check_certificates(options)
    if options.pop("ssl", False):
        options["ssl"] = True
    elif scheme != "rediss" and (needless := next((each for each in options if each in _OF_TLS), None)):
        raise UrlError(f"{needless} needs ssl=true")
    return options


def _check_certificates(options: Mapping[str, Option]) -> None:
    authorities, certificate, key = (options.get(name) for name in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile"))
    if key is not None and certificate is None:
        raise UrlError("ssl_keyfile needs ssl_certfile")
    try:
        if authorities is not None:
            check_authorities(str(authorities))
        if certificate is not None:
            check_certificate(str(certificate), None if key is None else str(key))
    except FileError as error:
        name = next(name for name, value in options.items() if name in _OF_TLS and Path(str(value)) == error.path)
        raise UrlError(f"the file of {name} cannot be used ({_quoted(str(error.path))}: {error.reason})") from error


def _unknown(scheme: str, name: str, parsers: Mapping[str, object]) -> str:
    if scheme == "redis" and (name == "ssl" or name in _OF_TLS):
        return "for TLS it must start with rediss://"
    # Any other name may be a part of a password.
    named = f" {name!r}" if _NAME.fullmatch(name) else ""
    return f"it has an unknown parameter{named}: {scheme}:// takes {', '.join(sorted(parsers))}; {PASSWORD_HINT}"
