"""TLS connections that check their certificate files first. redis-py reads these files on the event loop for each
connection.
"""

from collections.abc import Mapping
from typing import Any

from redis.asyncio.connection import SSLConnection
from redis.asyncio.sentinel import SentinelManagedSSLConnection

from sector.models.regular_file import FileError, check_file


class CertificateFileError(OSError):
    """A certificate file that no longer exists or is not a regular file. A pipe would block the process."""


class CheckedSSLConnection(SSLConnection):
    """A TLS connection to Redis that checks its certificate files."""

    def _connection_arguments(self) -> Mapping[str, Any]:
        for path in (self.ca_certs, self.certfile, self.keyfile):
            if path:
                try:
                    check_file(path)
                except FileError as error:
                    raise CertificateFileError(str(error)) from error
        arguments: Mapping[str, Any] = super()._connection_arguments()
        return arguments


class CheckedSentinelConnection(CheckedSSLConnection, SentinelManagedSSLConnection):
    """A TLS connection to the master that the Sentinels name."""
