"""The keys that tokens may be signed with: a secret, and those of a file that may change while we run."""

import logging
import time
from pathlib import Path

from jwt import PyJWK
from jwt.utils import base64url_encode

from sector.api.jwks import Key, KeyFileError, NoUsableKey, load_keys

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0


def secret_key(secret: str) -> Key:
    """Return a secret as a key for HS256."""
    told = {"kty": "oct", "alg": "HS256", "k": base64url_encode(secret.encode()).decode()}
    return Key("", PyJWK.from_dict(told), True)


class KeyRing:
    """The keys at this moment. `version` grows when they change."""

    def __init__(self, secret: str | None, path: Path | None) -> None:
        self._secret = [] if secret is None else [secret_key(secret)]
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._looked_s = 0.0
        self._keys: list[Key] = []
        self.skipped: list[str] = []
        """Why keys of the file are not used."""
        self.fault = ""
        """What is wrong with the file as a whole; empty where nothing is."""
        self._reported: frozenset[str] = frozenset()
        self.version = 0
        self._load()

    def look(self) -> None:
        """Read the file again if it changed, and log what is in it. Where it cannot be read, the keys before stay: see `fault`."""
        if self._load():
            self.report()

    def report(self) -> None:
        """Log which keys are used, and why others are not: each reason once, until the key is good or gone."""
        if self._path is None:
            return
        for reason in self.skipped:
            if reason not in self._reported:
                log.warning("AUTH_JWKS: %s", reason)
        self._reported = frozenset(self.skipped)
        log.info("%d keys in %s: %s", len(self._keys), self._path, ", ".join(key.id or "unnamed" for key in self._keys))

    def _load(self) -> bool:
        """Say whether there are other keys now."""
        self._looked_s = time.monotonic()
        if self._path is None:
            self._keys = self._secret
            return False
        stamp = self._stamp
        try:
            there = self._path.stat()
            stamp = (there.st_mtime_ns, there.st_size, there.st_ino)
            if stamp == self._stamp:
                return False
            keys, self.skipped = load_keys(self._path)
            self.fault = ""
        except NoUsableKey as error:
            # It can be read: the keys that were taken out are revoked, although none is left.
            keys, self.skipped = [], error.skipped
            self.fault = "AUTH_JWKS holds no key that can be used: tokens that its keys signed are refused"
        except (OSError, KeyFileError) as error:
            reason = error.reason if isinstance(error, KeyFileError) else f"it cannot be read: {error.strerror}"
            self.fault = f"AUTH_JWKS cannot be used: {reason}; the keys stay as they were"
            return False
        self._keys, self._stamp = [*keys, *self._secret], stamp
        self.version += 1
        return True

    def current(self) -> "KeyRing":
        """Return it, having looked within the last second."""
        if self._path is not None and time.monotonic() - self._looked_s > _LOOK_EVERY_S:
            self.look()
        return self

    @property
    def reads_file(self) -> bool:
        """Whether some of the keys are those of a file."""
        return self._path is not None

    def __len__(self) -> int:
        return len(self._keys)

    def named(self, key_id: str | None) -> list[Key]:
        """Return the keys that a token which names `key_id` may be signed with."""
        if key_id is None:
            return self._keys
        return [key for key in self._keys if key.id == key_id] or [key for key in self._keys if not key.id]

    @property
    def signing(self) -> Key | None:
        """The first key that can sign."""
        return next((key for key in self._keys if key.signs), None)
