"""Hosts and ports of settings in canonical form: lower case, ASCII, IPv6 without brackets."""

import ipaddress
import re

MAX_PORT = 65535
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_MAX_HOST = 253
_AMBIGUOUS = frozenset("ßẞς\u200c\u200d")
"""Characters that browsers (IDNA 2008) keep, but Python's codec (IDNA 2003) replaces."""
_FULL_STOPS = str.maketrans(dict.fromkeys("\u3002\uff0e\uff61", "."))


class HostError(ValueError):
    """An invalid host or port. The text does not quote it, because the value may contain a password."""


def parse_host(text: str) -> str:
    """Return a host in canonical form: a name in lower case and ASCII, or an IP address without brackets.

    Raises HostError.
    """
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return _parse_name(text)
    if bare != text and address.version != 6:
        raise HostError("a host in brackets is not an IPv6 address")
    return str(address)


def _parse_name(text: str) -> str:
    if _AMBIGUOUS.intersection(text):
        raise HostError("a host has a character that browsers and libraries read differently: write it as xn--…")
    try:
        name = text.translate(_FULL_STOPS).lower().removesuffix(".")
        # Python's codec is IDNA 2003, which maps umlauts as browsers do. ASCII skips it, because it rejects
        # underscores.
        name = name if name.isascii() else name.encode("idna").decode()
    except UnicodeError as error:
        raise HostError("a host is not a valid name") from error
    labels = name.split(".")
    if not name or len(name) > _MAX_HOST or not all(map(_LABEL.fullmatch, labels)):
        raise HostError("a host is not a valid name or address")
    if labels[-1].isdecimal():
        # A name never ends with a number (RFC 3696, section 2), so this is an invalid address.
        raise HostError("a host is not a valid IPv4 address")
    return name


def parse_port(text: str) -> int:
    """Return the port in `text`, from 1 to 65535. Raises HostError."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_PORT)) and 1 <= int(text) <= MAX_PORT):
        raise HostError(f"a port is not a number from 1 to {MAX_PORT}")
    return int(text)


def parse_host_port(text: str, default_port: int) -> tuple[str, int]:
    """Return the host and the port of `host`, `host:port`, `[IPv6]:port`, or an IPv6 address without brackets.

    `default_port`: the port if the text has none. Raises HostError.
    """
    if text.startswith("["):
        host, bracket, rest = text.partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise HostError("the brackets of a host are not closed, or something other than a port follows them")
        return parse_host(host + bracket), parse_port(rest[1:]) if rest else default_port
    if text.count(":") > 1:
        return parse_host(text), default_port
    host, colon, port = text.partition(":")
    return parse_host(host), parse_port(port) if colon else default_port


def format_host(host: str) -> str:
    """Return a host for use in a URL. An IPv6 address gets brackets."""
    return f"[{host}]" if ":" in host else host
