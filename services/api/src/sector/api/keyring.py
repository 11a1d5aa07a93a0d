"""The keys that tokens may be signed with: a secret, and those of a file that may change while we run."""

import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path

from jwt import PyJWK
from jwt.exceptions import PyJWTError
from jwt.utils import base64url_encode

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0


class KeyFileError(ValueError):
    """A file of keys that cannot be used. `path`: which; `reason`: why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Key:
    """A key and the one algorithm that it is for: what a token says of its algorithm decides nothing. `id`: its `kid`, or empty."""

    id: str
    jwk: PyJWK
    signs: bool

    @property
    def algorithm(self) -> str:
        return self.jwk.algorithm_name


def secret_key(secret: str) -> Key:
    """Return a secret as a key for HS256."""
    told = {"kty": "oct", "alg": "HS256", "k": base64url_encode(secret.encode()).decode()}
    return Key("", PyJWK.from_dict(told), True)


def load_keys(path: Path) -> list[Key]:
    """Return the keys in a file (RFC 7517). Raises KeyFileError where it is none, or holds none that can be used."""
    try:
        said = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise KeyFileError(path, f"it cannot be read: {reason}") from error
    listed = said.get("keys") if isinstance(said, dict) else None
    if not isinstance(listed, list):
        raise KeyFileError(path, 'it is no JWKS: {"keys": [...]}')
    keys: list[Key] = []
    for number, each in enumerate(listed):
        if not isinstance(each, dict):
            raise KeyFileError(path, f"key {number} is no object")
        if each.get("use", "sig") != "sig":
            continue
        try:
            keys.append(Key(str(each.get("kid", "")), PyJWK.from_dict(each), each.get("kty") == "oct" or "d" in each))
        except (PyJWTError, ValueError, TypeError, KeyError) as error:
            raise KeyFileError(path, f"key {number} cannot be used: {error}") from error
    if not keys:
        raise KeyFileError(path, "it holds no key to sign with")
    return keys


class KeyRing:
    """The keys at this moment. `version` grows when they change."""

    def __init__(self, secret: str | None, path: Path | None) -> None:
        self._secret = [] if secret is None else [secret_key(secret)]
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._looked_s = 0.0
        self._keys: list[Key] = []
        self.version = 0
        self.look()

    def look(self) -> None:
        """Read the file again if it changed. One that cannot be read is said, and the keys before it stay."""
        self._looked_s = time.monotonic()
        if self._path is None:
            self._keys = self._secret
            return
        try:
            there = self._path.stat()
            stamp = (there.st_mtime_ns, there.st_size, there.st_ino)
            if stamp == self._stamp:
                return
            self._keys, self._stamp = [*load_keys(self._path), *self._secret], stamp
        except (OSError, KeyFileError) as error:
            log.warning("the keys stay as they were: %s", error)
            return
        self.version += 1
        log.info("%d keys in %s: %s", len(self._keys), self._path, ", ".join(key.id or "unnamed" for key in self._keys))

    def current(self) -> "KeyRing":
        """Return it, having looked within the last second."""
        if self._path is not None and time.monotonic() - self._looked_s > _LOOK_EVERY_S:
            self.look()
        return self

    def named(self, key_id: str | None) -> list[Key]:
        """Return the keys that a token which names `key_id` may be signed with."""
        if key_id is None:
            return self._keys
        return [key for key in self._keys if key.id == key_id] or [key for key in self._keys if not key.id]

    @property
    def signing(self) -> Key | None:
        """The first key that can sign."""
        return next((key for key in self._keys if key.signs), None)
