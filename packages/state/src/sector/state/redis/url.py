"""The URL of Redis, parsed once and completely: an error states what is wrong with it, and never quotes it.

redis-py's own parser ignores what it does not understand: a database that is no number is database 0, and `ssl=true` for a cluster is
a connection without TLS.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import quote

from pydantic import BeforeValidator, Field, PlainSerializer

from sector.models.certificates import check_authorities, check_certificate
from sector.models.hosts import HostError, format_host, parse_host_port
from sector.models.regular_file import FileError, check_file
from sector.models.urls import UrlError, percent_decode, refuse_quotes

type Scheme = Literal["redis", "rediss", "unix", "redis+sentinel", "redis+cluster"]
type Option = str | int | float | bool

_PORTS: Mapping[str, int] = {"redis": 6379, "rediss": 6379, "unix": 0, "redis+sentinel": 26379, "redis+cluster": 6379}
SCHEMES = tuple(f"{scheme}://" for scheme in _PORTS)
_MAX_DB = 2**31 - 1
_MAX_CONNECTIONS = 65_536
_MAX_SHOWN = 200
_NAME = re.compile(r"[a-z_]{1,40}")
_SERVICE = re.compile(r"[A-Za-z0-9._-]{1,100}")
_IN_A_PASSWORD = (
    "in a password write / ? # [ ] @ : % and , as %2F %3F %23 %5B %5D %40 %3A %25 and %2C"  # noqa: S105  # nosec B105
)


def _number(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and least <= int(text) <= most):
            raise ValueError(f"no number from {least} to {most}")
        return int(text)

    return parse


def _seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,6})?", text) or not 0.01 <= float(text) <= 3600:
        raise ValueError("no number of seconds from 0.01 to 3600")
    return float(text)


def _bool(text: str) -> bool:
    value = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(text.lower())
    if value is None:
        raise ValueError("neither true nor false")
    return value


def _file(text: str) -> str:
    try:
        check_file(text)
    except FileError as error:
        raise ValueError(f"no file that can be read ({_quoted(text)}: {error.reason})") from error
    return text


def _quoted(path: str) -> str:
    return repr(path if len(path) <= _MAX_SHOWN else f"{path[:_MAX_SHOWN]}…")


def _requirement(text: str) -> str:
    if text not in ("required", "optional", "none"):
        raise ValueError("none of required, optional and none")
    return text


def _client_name(text: str) -> str:
    if not re.fullmatch("[!-~]+", text):
        raise ValueError("no name of ASCII characters without spaces")
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


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where Redis is, and how to log in. `str()` and `repr()` hide the passwords."""

    scheme: Scheme
    hosts: tuple[tuple[str, int], ...] = ()
    path: str = ""
    """Of a Unix socket."""
    service: str = ""
    """That Sentinels know."""
    db: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    options: Mapping[str, Option] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Return the address that a URL states. Raises UrlError."""
        url = url.strip()
        refuse_quotes(url)
        if not url.isprintable():
            raise UrlError("it has a line break or another control character inside")
        scheme, separator, rest = url.partition("://")
        scheme = scheme.lower()
        if not separator or scheme not in _PORTS:
            raise UrlError(f"a Redis URL begins with one of {', '.join(SCHEMES)}")
        netloc, mark, tail = _split(rest)
        path, _, query = (mark + tail).partition("?")
        if "@" in path + query or "#" in rest:
            raise UrlError(f"a host or a port is invalid, or an @ or a # is where none can be; {_IN_A_PASSWORD}")
        credentials, _, hosts = netloc.rpartition("@")
        username, _, password = credentials.partition(":")
        options = _parse_options(scheme, query)
        given: dict[str, str | None] = {
            "username": percent_decode(username) or _pop_text(options, "username"),
            "password": percent_decode(password) or _pop_text(options, "password"),
        }
        if "[" in credentials or "]" in credentials:
            raise UrlError(f"a host or a port is invalid; {_IN_A_PASSWORD}")
        return cls._of(scheme, hosts, percent_decode(path), options, **given)

    @classmethod
    def _of(
        cls,
        scheme: str,
        hosts: str,
        path: str,
        options: dict[str, Option],
        *,
        username: str | None,
        password: str | None,
    ) -> Self:
        db = options.pop("db", None)
        service = ""
        if scheme == "unix":
            if hosts or len(path) < 2 or "\0" in path:
                raise UrlError("a unix:// URL has an absolute path, and no host: unix:///run/valkey.sock")
            return cls("unix", (), path, "", int(db or 0), username, password, options)
        if scheme == "redis+sentinel":
            service, _, path = path.removeprefix("/").partition("/")
            if not _SERVICE.fullmatch(service):
                raise UrlError(
                    "a Sentinel URL ends with the name of the service: redis+sentinel://host:26379/mymaster/0"
                )
        number = path.removeprefix("/")
        if number and db is not None:
            raise UrlError("it has two databases: in the path, and as ?db=")
        db = _parse_db(number) if db is None else int(db)
        if scheme == "redis+cluster" and db:
            raise UrlError("a cluster has database 0 only")
        addresses = _parse_hosts(scheme, hosts)
        return cls(scheme, addresses, "", service, db, username, password, options)  # type: ignore[arg-type]  # one of SCHEMES

    @property
    def text(self) -> str:
        """The URL in canonical form, with its passwords. Do not show it."""
        return self._format(self.password, hidden=False)

    @property
    def where(self) -> str:
        """Where Redis is, without a user: `host:port`, several with commas, or the path of a socket."""
        return self.path or ",".join(f"{format_host(host)}:{port}" for host, port in self.hosts)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The passwords."""
        of_sentinels = self.options.get("sentinel_password")
        return tuple(str(each) for each in (self.password, of_sentinels) if each)

    def __str__(self) -> str:
        return self._format("***" if self.password else None, hidden=True)

    def _format(self, password: str | None, *, hidden: bool) -> str:
        user = quote(self.username or "", safe="")
        if password is not None:
            user += f":{password if hidden else quote(password, safe='')}"
        where = ",".join(f"{format_host(host)}:{port}" for host, port in self.hosts)
        path = quote(self.path) if self.path else f"/{self.service}/{self.db}" if self.service else f"/{self.db}"
        options = {"db": self.db} if self.path else {}
        query = "&".join(
            f"{name}={_shown(name, value, hidden=hidden)}" for name, value in (options | {**self.options}).items()
        )
        return f"{self.scheme}://{user + '@' if user else ''}{where}{path}{'?' + query if query else ''}"


def _shown(name: str, value: Option, *, hidden: bool) -> str:
    if hidden and name.endswith("password"):
        return "***"
    return quote(str(value).lower() if isinstance(value, bool) else str(value), safe="")


def _pop_text(options: dict[str, Option], name: str) -> str | None:
    value = options.pop(name, None)
    return None if value is None else str(value)


def _split(rest: str) -> tuple[str, str, str]:
    """Return what stands before the first of / ? #, that character, and the rest."""
    match = re.search("[/?#]", rest)
    return (rest, "", "") if match is None else (rest[: match.start()], match[0], rest[match.end() :])


def _parse_hosts(scheme: str, hosts: str) -> tuple[tuple[str, int], ...]:
    several = scheme in ("redis+sentinel", "redis+cluster")
    if not hosts and not several:
        hosts = "localhost"
    texts = [each.strip() for each in hosts.split(",")]
    if len(texts) > 1 and not several:
        raise UrlError(f"{scheme}:// has one host; {_IN_A_PASSWORD}")
    try:
        return tuple(parse_host_port(each, _PORTS[scheme]) for each in texts)
    except HostError as error:
        # The part may be a piece of a password.
        raise UrlError(f"a host or a port is invalid: {error}; {_IN_A_PASSWORD}") from error


def _parse_db(text: str) -> int:
    try:
        return _DB["db"](text or "0")  # type: ignore[return-value]  # that one returns an int
    except ValueError:
        raise UrlError(f"its path is no database, a number from 0 to {_MAX_DB}; {_IN_A_PASSWORD}") from None


def _parse_options(scheme: str, query: str) -> dict[str, Option]:
    parsers, options = _OPTIONS[scheme], dict[str, Option]()
    for part in query.split("&") if query else ():
        name, equals, value = part.partition("=")
        if name not in parsers or not equals:
            raise UrlError(_unknown(scheme, name, parsers))
        if name in options:
            raise UrlError(f"it has the parameter {name} twice")
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
        return "for TLS it must begin with rediss://"
    # Anything else may be a piece of a password.
    named = f" {name!r}" if _NAME.fullmatch(name) else ""
    return f"it has an unknown parameter{named}: {scheme}:// takes {', '.join(sorted(parsers))}; {_IN_A_PASSWORD}"


def parse_setting(value: object) -> object:
    """Return the address of a URL, or what is none as it is. Raises UrlError."""
    return RedisAddress.parse(value) if isinstance(value, str) else value


RedisUrl = Annotated[
    RedisAddress,
    BeforeValidator(parse_setting),
    PlainSerializer(str),
    Field(
        default=RedisAddress.parse("redis://redis:6379/0"),
        repr=False,
        description="Where Redis is: redis://user:password@host:6379/0, rediss:// (TLS), unix:///path?db=0,"
        " redis+sentinel://user:password@host:26379,host:26379/service/0 or redis+cluster://user:password@host:6379,host:6379,"
        " both with ?ssl=true for TLS.",
    ),
]
"""The setting REDIS_URL."""
