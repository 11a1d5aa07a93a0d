"""Origins: whether a page may connect to this viz. It may if it was loaded from the host under which browsers reach the viz.

Hosts and ports are compared in canonical form, and schemes are not: behind a proxy that ends TLS the viz sees `http`, and proxies
report `https`, `wss`, `ws` or nothing in `X-Forwarded-Proto`. A browser sets `Origin` by itself, and lets no page set any of the
headers that are read here.
"""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address

type HostPort = tuple[str, int | None]

_ORIGIN = re.compile(r"(https?)://([^/?#@\s]+)", re.IGNORECASE)
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/?#@\[\]]+)(?::([0-9]{1,5})?)?")
_FORWARDED_HOST = re.compile(r'(?:^|[;,\s])host\s*=\s*("(?:[^"\\]|\\.)*"|[^;,\s"]+)', re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_same_origin(origin: str, headers: Mapping[str, str]) -> bool:
    """Return whether `origin` is that of this viz, as a request with these headers reached it: see `hosts_of`.

    A host without a port has any: proxies forward it without the port under which they listen. The default ports of HTTP and HTTPS
    are the same, because a proxy may listen at one, and name the other.
    """
    match = _ORIGIN.fullmatch(origin.strip())
    parsed = parse_host(match[2]) if match else None
    if match is None or parsed is None:
        return False
    host, port = parsed
    port = port or _DEFAULT_PORTS[match[1].lower()]
    return any(
        host == our_host and (our_port in (None, port) or {our_port, port} <= set(_DEFAULT_PORTS.values()))
        for our_host, our_port in hosts_of(headers)
    )


def hosts_of(headers: Mapping[str, str]) -> Iterator[HostPort]:
    """Return the hosts that a request names: in `Host`, `X-Forwarded-Host`, and `Forwarded` (RFC 7239), each proxy in turn."""
    names = [headers.get("host", ""), *headers.get("x-forwarded-host", "").split(",")]
    names += [quoted.strip('"').replace("\\", "") for quoted in _FORWARDED_HOST.findall(headers.get("forwarded", ""))]
    for name in names:
        if (host := parse_host(name)) is not None:
            yield host


def parse_host(text: str) -> HostPort | None:
    """Return a host and its port in canonical form, or None for text that is no host.

    Names are in lower case and in ASCII, without the dot at their end. IPv6 addresses are in their short form.
    """
    match = _HOST.fullmatch(text.strip())
    if match is None:
        return None
    port = int(match[2]) if match[2] else None
    if port is not None and not 0 < port < 2**16:
        return None
    name = match[1].strip("[]").rstrip(".").lower()
    try:
        return ip_address(name).compressed, port
    except ValueError:
        pass
    try:
        return name.encode("idna").decode(), port
    except UnicodeError:
        return None
