"""Ports: are they free, before anything is started."""

import socket
from collections.abc import Sequence

from sector.standalone.plan import Spec


def taken_ports(host: str, specs: Sequence[Spec]) -> list[Spec]:
    """Return those whose port is not to be had."""
    return [spec for spec in specs if not (_is_free("127.0.0.1", spec.port) and _is_free(host, spec.port))]


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do: a port in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
