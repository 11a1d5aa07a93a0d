"""The URL of Redis, parsed completely. An error states what is wrong and does not quote the URL.

The parser of redis-py ignores what it does not understand. An invalid database number means database 0, and `ssl=true`
for a cluster means a connection without TLS.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, Self
from urllib.parse import quote

from pydantic import BeforeValidator, Field, PlainSerializer

from sector.models.hosts import HostError, format_host, parse_host_port
from sector.models.urls import UrlError, percent_decode, refuse_quotes
from sector.state.redis.url_options import PASSWORD_HINT, Option, parse_db, parse_options

type Scheme = Literal["redis", "rediss", "unix", "redis+sentinel", "redis+cluster"]

_PORTS: Mapping[str, int] = {"redis": 6379, "rediss": 6379, "unix": 0, "redis+sentinel": 26379, "redis+cluster": 6379}
SCHEMES = tuple(f"{scheme}://" for scheme in _PORTS)
_SERVICE = re.compile(r"[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """The address of Redis and the credentials for it. `str()` and `repr()` hide the passwords."""

    scheme: Scheme
    hosts: tuple[tuple[str, int], ...] = ()
    path: str | None = None
    """The path of a Unix socket."""
    service: str | None = None
    """The name of the service, which Sentinels know."""
    db: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    options: Mapping[str, Option] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Return the address in a URL. Raises UrlError."""
        url = url.strip()
        refuse_quotes(url)
        if not url.isprintable():
            raise UrlError("it contains a line break or another control character")
        scheme, separator, rest = url.partition("://")
        scheme = scheme.lower()
        if not separator or scheme not in _PORTS:
            raise UrlError(f"a Redis URL starts with one of {', '.join(SCHEMES)}")
        netloc, mark, tail = _split(rest)
        path, _, query = (mark + tail).partition("?")
        if "@" in path + query or "#" in rest:
            raise UrlError(f"a host or a port is invalid, or an @ or a # is misplaced; {PASSWORD_HINT}")
        credentials, _, hosts = netloc.rpartition("@")
        username, _, password = credentials.partition(":")
        options = parse_options(scheme, query)
        given: dict[str, str | None] = {
            "username": percent_decode(username) or _pop_text(options, "username"),
            "password": percent_decode(password) or _pop_text(options, "password"),
        }
        if "[" in credentials or "]" in credentials:
            raise UrlError(f"a host or a port is invalid; {PASSWORD_HINT}")
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
        service: str | None = None
        if scheme == "unix":
            if hosts or len(path) < 2 or "\0" in path:
                raise UrlError("a unix:// URL must have an absolute path and no host: unix:///run/valkey.sock")
            return cls("unix", (), path, None, int(db or 0), username, password, options)
        if scheme == "redis+sentinel":
            service, _, path = path.removeprefix("/").partition("/")
            if not _SERVICE.fullmatch(service):
                raise UrlError(
                    "a Sentinel URL ends with the name of the service: redis+sentinel://host:26379/mymaster/0"
                )
        number = path.removeprefix("/")
        if number and db is not None:
            raise UrlError("it has two databases: remove the one in the path, or ?db=")
        db = parse_db(number) if db is None else int(db)
        if scheme == "redis+cluster" and db:
            raise UrlError("a cluster has only database 0: remove the database")
        addresses = _parse_hosts(scheme, hosts)
        return cls(scheme, addresses, None, service, db, username, password, options)  # type: ignore[arg-type]  # a value of SCHEMES

    @property
    def text(self) -> str:
        """The URL in canonical form, with its passwords. Do not display it."""
        return self._format(self.password, hidden=False)

    @property
    def where(self) -> str:
        """Where Redis is, without credentials: `host:port`, several with commas, or the path of a socket."""
        return self.path or ",".join(f"{format_host(host)}:{port}" for host, port in self.hosts)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The passwords of the URL."""
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
    """Return the text before the first of / ? #, that character, and the rest."""
    match = re.search("[/?#]", rest)
    return (rest, "", "") if match is None else (rest[: match.start()], match[0], rest[match.end() :])


def _parse_hosts(scheme: str, hosts: str) -> tuple[tuple[str, int], ...]:
    several = scheme in ("redis+sentinel", "redis+cluster")
    if not hosts and not several:
        hosts = "localhost"
    texts = [each.strip() for each in hosts.split(",")]
    if len(texts) > 1 and not several:
        raise UrlError(f"{scheme}:// takes one host; {PASSWORD_HINT}")
    try:
        return tuple(parse_host_port(each, _PORTS[scheme]) for each in texts)
    except HostError as error:
        # The text may be a part of a password.
        raise UrlError(f"a host or a port is invalid: {error}; {PASSWORD_HINT}") from error


def parse_setting(value: object) -> object:
    """Return the address of a URL, and any other value unchanged. Raises UrlError."""
    return RedisAddress.parse(value) if isinstance(value, str) else value


RedisUrl = Annotated[
    RedisAddress,
    BeforeValidator(parse_setting),
    PlainSerializer(str),
    Field(
        default=RedisAddress.parse("redis://redis:6379/0"),
        repr=False,
        description="URL of Redis: redis://user:password@host:6379/0, rediss:// (TLS), unix:///path?db=0,"
        " redis+sentinel://user:password@host:26379,host:26379/service/0 or redis+cluster://user:password@host:6379,host:6379,"
        " both with ?ssl=true for TLS.",
    ),
]
"""The type of the setting REDIS_URL."""
