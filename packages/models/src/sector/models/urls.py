"""URLs and origins of settings in canonical form: lower case, no default port, no empty parts."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from sector.models.hosts import HostError, format_host, parse_host_port

_PORTS = {"http": 80, "https": 443}
_PATH = re.compile(r"(/([\w.~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)*", re.ASCII)
_QUOTES = "\"'`"


class UrlError(ValueError):
    """An invalid URL. The text does not quote it, because it may contain a password."""


@dataclass(frozen=True, slots=True)
class HttpUrl:
    """The URL of a server, without query and fragment. `str()` and `repr()` omit the user and the password."""

    scheme: str
    host: str
    port: int
    path: str = ""
    userinfo: str = field(default="", repr=False)

    @property
    def origin(self) -> str:
        """Scheme, host and port, as browsers send them in `Origin`."""
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{format_host(self.host)}{port}"

    @property
    def text(self) -> str:
        """The URL with its user and password. Do not display it; use `str()` for that."""
        user = f"{self.userinfo}@" if self.userinfo else ""
        return self.origin.replace("://", f"://{user}", 1) + self.path

    @property
    def secrets(self) -> tuple[str, ...]:
        """The parts of the URL that are secret: the user with the password, and the password alone.

        A user without one may be a key.
        """
        user, _, password = self.userinfo.partition(":")
        return tuple(each for each in (self.userinfo, password or user) if each)

    def __str__(self) -> str:
        return self.origin + self.path


def refuse_quotes(text: str) -> None:
    """Raise UrlError if a value is in quotes, which some readers of env files do not remove."""
    if text and (text[0] in _QUOTES or text[-1] in _QUOTES):
        raise UrlError("it is in quotes: remove the quotes")


def refuse_invisible(text: str) -> None:
    """Raise UrlError if a value contains white space or control characters."""
    if any(each.isspace() or not each.isprintable() for each in text):
        raise UrlError("it contains white space or control characters")


def parse_http_url(text: str, *, userinfo: bool = False) -> HttpUrl:
    """Return an http:// or https:// URL in canonical form. Its path does not end with a slash.

    `userinfo`: whether `user:password@` is allowed. Raises UrlError.
    """
    text = text.strip()
    refuse_quotes(text)
    refuse_invisible(text)
    scheme, separator, rest = text.partition("://")
    scheme = scheme.lower()
    if scheme not in _PORTS or not separator:
        raise UrlError("it does not start with http:// or https://")
    authority, slash, path = rest.partition("/")
    if "?" in rest or "#" in rest:
        raise UrlError("it has a query or a fragment (? or #): remove it")
    user, at, hosts = authority.rpartition("@")
    if "@" in path and not at:
        raise UrlError("it has an @ in its path: write / in a password as %2F")
    if at and not userinfo:
        raise UrlError("it has a user or a password before an @: remove them")
    try:
        host, port = parse_host_port(hosts, _PORTS[scheme])
    except HostError as error:
        raise UrlError(str(error)) from error
    path = (slash + path).rstrip("/")
    if not _PATH.fullmatch(path):
        raise UrlError("its path contains characters that must be percent-encoded")
    return HttpUrl(scheme, host, port, path, user)


def parse_origin(text: str) -> str:
    """Return an origin in the form that browsers send: scheme, host, and a port other than the default.

    Raises UrlError.
    """
    url = parse_http_url(text)
    if url.path or text.strip().endswith("/"):
        raise UrlError("an origin must not have a path: remove it, and the slash at the end")
    return url.origin


def percent_decode(text: str) -> str:
    """Return a part of a URL with its percent-encoding decoded, as UTF-8. Raises UrlError for an invalid escape."""
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise UrlError("a % is not followed by two hexadecimal digits: write it as %25")
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        # (from None: the cause may quote a password)
        raise UrlError("a percent-encoded character is not UTF-8") from None
