"""Validation of the certificate files (PEM) of settings at startup, before a connection needs them."""

import ssl

from sector.models.regular_file import FileError, read_file

MAX_BYTES = 16 * 2**20
"""The maximum size of a file of certificates. All public authorities together have 0.3 MB."""


def check_authorities(path: str) -> None:
    """Raise FileError unless the file contains certificates of authorities."""
    read_file(path, MAX_BYTES)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError as error:
        raise FileError(path, "it contains no certificate (PEM)") from error
    except OSError as error:
        raise FileError(path, f"it cannot be read: {error.strerror}") from error


def check_certificate(path: str, key_path: str | None = None) -> None:
    """Raise FileError unless the file contains a certificate and its private key without a passphrase.

    `key_path`: the file of the key, if it is a separate one.
    """
    read_file(path, MAX_BYTES)
    if key_path is not None:
        read_file(key_path, MAX_BYTES)
    try:
        # Without a password OpenSSL would wait for input from the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(path, key_path, password=lambda: "")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise FileError(key_path or path, "its key does not belong to the certificate") from error
        where = path if key_path is None or not _has_certificate(path) else key_path
        raise FileError(where, "it does not contain a certificate and its key (PEM, without a passphrase)") from error
    except OSError as error:
        raise FileError(path, f"it cannot be read: {error.strerror}") from error


def _has_certificate(path: str) -> bool:
    try:
        check_authorities(path)
    except FileError:
        return False
    return True
