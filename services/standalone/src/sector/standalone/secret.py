"""The secret that signs the tokens of a standalone world. It is stored beside the world, so that tokens stay valid."""

import os
import secrets
import tempfile
from pathlib import Path

from sector.api.settings import MIN_SECRET
from sector.models.regular_file import FileError, read_text
from sector.models.secret_text import SecretError, clean_secret

_BYTES = 32
_FILE = "auth-secret"
_MAX_BYTES = 64 * 1024


class SecretGivenError(ValueError):
    """--new-secret conflicts with AUTH_SECRET."""

    def __init__(self) -> None:
        super().__init__("--new-secret cannot replace AUTH_SECRET: change or unset AUTH_SECRET")


class SecretDamagedError(ValueError):
    """The file of the secret is cut, or contains something else. Tokens that it signed can no longer be verified."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"the file auth-secret is damaged ({reason}): restore it, or replace it with --new-secret")
        self.path = path
        self.reason = reason


def load_secret(directory: Path, *, replace: bool = False) -> str:
    """Return AUTH_SECRET if it is set, else the secret in `directory`, which only this user may read.

    With `replace` the secret is new, and all earlier tokens become invalid.

    Raises OSError, SecretGivenError, SecretDamagedError, SecretError.
    """
    if configured := os.environ.get("AUTH_SECRET"):
        if replace:
            raise SecretGivenError
        return clean_secret(configured)
    path = directory / _FILE
    if not replace and (secret := _read(path)):
        return secret
    return _write(path, secrets.token_urlsafe(_BYTES))


def _read(path: Path) -> str:
    """Return the secret in a file; empty if there is none. The file of a version that was killed may be empty.

    Raises SecretDamagedError for a file that is cut or has anything else in it, or is no file.
    """
    if not os.path.lexists(path):
        return ""
    try:
        # Checked before the mode is changed: otherwise the mode of a device would change.
        text = read_text(path, _MAX_BYTES)
        path.chmod(0o600)
        secret = clean_secret(text)
    except FileError as error:
        raise SecretDamagedError(path, error.reason) from error
    except SecretError as error:
        raise SecretDamagedError(path, str(error)) from error
    if secret and len(secret) < MIN_SECRET:
        raise SecretDamagedError(path, "it is too short")
    return secret


def _write(path: Path, secret: str) -> str:
    """Write the file atomically."""
    # (mkstemp creates files with the mode 0600)
    number, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(number, "w") as file:
            file.write(f"{secret}\n")
            file.flush()
            os.fsync(number)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    return secret
