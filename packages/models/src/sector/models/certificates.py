"""Validation of the certificate files (PEM) of settings at startup, before a connection needs them.

OpenSSL would block on a file that became a pipe. So each file is opened here, once, and OpenSSL reads the opened file.
"""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from sector.models.regular_file import FileError, stable_path

MAX_BYTES = 16 * 2**20
"""The maximum size of a file of certificates. All public authorities together have 0.3 MB."""


def authorities_context(path: str) -> ssl.SSLContext:
    """Return the context of a client that trusts only the authorities in a file. Raises FileError."""
    context = _new_context()
    with _reported(path):
        load_authorities(context, path)
    return context


def client_context() -> ssl.SSLContext:
    """Return the context of a client that trusts the authorities in SSL_CERT_FILE and SSL_CERT_DIR, or those of the system.

    Raises FileError.
    """
    if path := os.environ.get("SSL_CERT_FILE"):
        context = authorities_context(path)
        if folder := os.environ.get("SSL_CERT_DIR") or ssl.get_default_verify_paths().openssl_capath:
            context.load_verify_locations(capath=folder)
    else:
        context = _new_context()
        context.load_default_certs()
    return context


def _new_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # As `ssl.create_default_context`, which reads SSL_CERT_FILE by its name.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
    return context


def load_authorities(context: ssl.SSLContext, path: str) -> None:
    """Trust the authorities in a file. Raises FileError, ssl.SSLError."""
    with stable_path(path, MAX_BYTES) as opened:
        context.load_verify_locations(cafile=opened)


def load_certificate(context: ssl.SSLContext, path: str, key_path: str | None = None) -> None:
    """Use the certificate in a file, and its key in it or in `key_path`, without a passphrase. Raises FileError, ssl.SSLError."""
    with stable_path(path, MAX_BYTES) as opened, stable_path(key_path or path, MAX_BYTES) as opened_key:
        # Without a password OpenSSL would wait for input from the terminal.
        context.load_cert_chain(opened, opened_key, password=lambda: "")


def check_authorities(path: str) -> None:
    """Raise FileError unless the file contains certificates of authorities."""
    with _reported(path):
        load_authorities(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), path)


def check_certificate(path: str, key_path: str | None = None) -> None:
    """Raise FileError unless the file contains a certificate and its private key without a passphrase.

    `key_path`: the file of the key, if it is a separate one.
    """
    try:
        load_certificate(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), path, key_path)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise FileError(key_path or path, "its key does not belong to the certificate") from error
        where = path if key_path is None or not _has_certificate(path) else key_path
        raise FileError(where, "it does not contain a certificate and its key (PEM, without a passphrase)") from error
    except OSError as error:
        raise FileError(path, f"it cannot be read: {error.strerror}") from error


@contextmanager
def _reported(path: str) -> Iterator[None]:
    """Raise FileError for what OpenSSL raises for a file of authorities."""
    try:
        yield
    except ssl.SSLError as error:
        raise FileError(path, "it contains no certificate (PEM)") from error
    except OSError as error:
        raise FileError(path, f"it cannot be read: {error.strerror}") from error


def _has_certificate(path: str) -> bool:
    try:
        check_authorities(path)
    except FileError:
        return False
    return True
