"""TLS connections whose certificate files are opened as regular files: redis-py would wait for a pipe, on the event loop.

The files are read for each connection, so that renewed certificates count.
"""

import ssl
from collections.abc import Mapping
from typing import Any

from redis.asyncio.connection import SSLConnection
from redis.asyncio.sentinel import SentinelManagedSSLConnection

from sector.models.certificates import client_context, load_authorities, load_certificate
from sector.models.regular_file import FileError


class CertificateFileError(OSError):
    """A certificate file that is there no more, or is no regular file: a pipe would hold the process up."""


class CheckedSSLConnection(SSLConnection):
    """A TLS connection to Redis."""

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
    """A TLS connection to the master that Sentinels name."""
