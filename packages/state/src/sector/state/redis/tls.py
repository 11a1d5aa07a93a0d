"""TLS connections that open their certificate files as regular files. redis-py would block the event loop on a pipe.

The files are read for each connection, so renewed certificates take effect.
"""

import ssl
from collections.abc import Mapping
from typing import Any

from redis.asyncio.connection import SSLConnection
from redis.asyncio.sentinel import SentinelManagedSSLConnection

from sector.models.certificates import client_context, load_authorities, load_certificate
from sector.models.regular_file import FileError


class CertificateFileError(OSError):
    """A certificate file that no longer exists or is not a regular file. A pipe would block the process."""


class CheckedSSLConnection(SSLConnection):
    """A TLS connection to Redis that checks its certificate files."""

    def _connection_arguments(self) -> Mapping[str, Any]:
        if self.ssl_context.context is None:
            try:
                self.ssl_context.context = self._create_context()
            except FileError as error:
                raise CertificateFileError(str(error)) from error
        arguments: Mapping[str, Any] = super()._connection_arguments()
        return arguments

    def _create_context(self) -> ssl.SSLContext:
        """Return the context that redis-py makes of the options of `url_options`. Raises FileError, ssl.SSLError."""
        options, context = self.ssl_context, client_context()
        context.check_hostname = options.check_hostname
        context.verify_mode = ssl.VerifyMode(options.cert_reqs)
        if options.certfile:
            load_certificate(context, options.certfile, options.keyfile)
        if options.ca_certs:
            load_authorities(context, options.ca_certs)
        return context


class CheckedSentinelConnection(CheckedSSLConnection, SentinelManagedSSLConnection):
    """A TLS connection to the master that the Sentinels name."""
