"""Networks of clients: the units of limits and of the rotation of requests.

Behind proxies, the address of a client is the one that the outermost proxy appended to `X-Forwarded-For`.
"""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

MAX_ADDRESS = 64
"""The maximum length of an invalid address, which a proxy or a client behind it may send."""
_MAX_CACHED = 4096
_FORWARDED_FOR = b"\r\nx-forwarded-for:"


class _Prefix:
    """How many bits of an IPv6 address are the network of a client, for all limits of this process (IPV6_PREFIX)."""

    bits = 64


_prefix = _Prefix()


def set_ipv6_prefix(bits: int) -> None:
    """Treat IPv6 networks with this number of bits as one address."""
    _prefix.bits = bits


def client_network(address: str) -> str:
    """Return the unit of limits for an address: an IPv4 address, or the network of an IPv6 address.

    One client usually has a whole /64 network or more. The result is the same for each spelling of an address, with or
    without a port.
    """
    # A longer text is not an address, and clients could fill the cache with such texts.
    find = _cached_network if len(address) <= MAX_ADDRESS else _network_of
    return find(address, _prefix.bits)


def last_forwarded_address(head: bytes, proxies: int) -> str:
    """Return the address that the outermost of `proxies` proxies appended to the head of a request; empty if there is none.

    The head is searched, not parsed. A head with malformed field lines is rejected later.
    """
    lower = head.lower()
    start = lower.rfind(_FORWARDED_FOR)
    if start < 0:
        return ""
    last = _value(lower, start).rpartition(b",")[2].strip()
    if proxies > 1 or not last:
        values = b",".join(_value(lower, match.start()) for match in re.finditer(_FORWARDED_FOR, lower))
        addresses = [address for each in values.split(b",") if (address := each.strip())]
        last = addresses[-proxies] if len(addresses) >= proxies else b""
    return last.decode("latin-1")


def _value(head: bytes, start: int) -> bytes:
    """Return the value of the field whose line begins after the line break at `start`."""
    end = head.find(b"\r\n", start + len(_FORWARDED_FOR))
    return head[start + len(_FORWARDED_FOR) : end if end >= 0 else None]


def _network_of(address: str, ipv6_bits: int) -> str:
    parsed = _parse_address(address)
    if parsed is None:
        return address.strip().lower()[:MAX_ADDRESS]
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        host_bits = parsed.max_prefixlen - ipv6_bits
        return f"{IPv6Address(int(parsed) >> host_bits << host_bits)}/{ipv6_bits}"
    return str(parsed)


_cached_network = lru_cache(_MAX_CACHED)(_network_of)


def _parse_address(text: str) -> IPv4Address | IPv6Address | None:
    text = text.strip().strip('"')
    if text.startswith("["):
        # In brackets, perhaps with a port behind them (RFC 7239, 6).
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None
