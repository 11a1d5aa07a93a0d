"""The secret that tokens of a standalone world are signed with: kept beside the world, so that they stay good as long as it does."""

import os
import secrets
from pathlib import Path

_BYTES = 32


def secret_in(directory: Path) -> str:
    """Return AUTH_SECRET where it is set, else the secret in `directory`, which is made the first time. Nobody else may read it."""
    if given := os.environ.get("AUTH_SECRET"):
        return given
    path = directory / "auth-secret"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        made = secrets.token_urlsafe(_BYTES)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{made}\n")
        return made
