"""Addresses and ports: where services listen, how they are reached, and whether their ports are free."""

import errno
import os
import socket
from collections.abc import Sequence
from ipaddress import ip_address

from sector.models.hosts import format_host

_LOOPBACK = {4: "127.0.0.1", 6: "::1"}


class ListenError(Exception):
    """No process can listen at `host`: it is not an address of this machine, or not a host."""

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(f"cannot listen on {host}: {reason}. Choose an address of this machine with --host")
        self.host = host


def local_address(host: str) -> str:
    """Return the address at which this machine reaches a server that listens at `host`, such as 127.0.0.1 for 0.0.0.0."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return _LOOPBACK[address.version] if address.is_unspecified else host


def local_url(host: str, port: int) -> str:
    """Return the URL at which this machine reaches a server that listens at `host`."""
    return f"http://{format_host(local_address(host))}:{port}"


def used_ports(addresses: Sequence[tuple[str, int]]) -> list[int]:
    """Return the ports of these hosts and ports at which another process listens. Raises ListenError."""
    return [port for host, port in addresses if not _is_free(host, port)]


def _is_free(host: str, port: int) -> bool:
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ListenError(host, "it cannot be resolved") from error
    return all(_can_listen(host, family, address) for family, _, _, _, address in addresses)


def _can_listen(host: str, family: int, address: tuple[str | int, ...] | tuple[int, bytes]) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # Like the servers: a port in TIME_WAIT is free, and :: means IPv6 only.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return False
        raise ListenError(host, os.strerror(error.errno or 0)) from error
    return True
