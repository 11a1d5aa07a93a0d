"""TLS connections whose certificate files are looked at first: redis-py reads them on the event loop, for each connection."""

from collections.abc import Mapping
from typing import Any

from redis.asyncio.connection import SSLConnection
from redis.asyncio.sentinel import SentinelManagedSSLConnection

from sector.models.regular_file import FileError, check_file


class CertificateFileError(OSError):
    """A certificate file that is there no more, or is no regular file: a pipe would hold the process up."""


class CheckedSSLConnection(SSLConnection):
    """A TLS connection to Redis."""

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
    """A TLS connection to the master that Sentinels name."""
