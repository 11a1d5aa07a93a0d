"""The keys that sign tokens: a secret, and those of the JWKS file AUTH_JWKS.

The file is reloaded when it changes (`condition_checks.check_keys`).
"""

import asyncio
import logging
import stat
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from jwt import PyJWK
from jwt.utils import base64url_encode

from sector.api.jwks import Key, KeyFileError, NoUsableKey, load_keys
from sector.models.regular_file import FileError, check_file
from sector.process import start_daemon_thread
from sector.process.daemon_thread import ThreadLimitError

log = logging.getLogger(__name__)

_READ_TIMEOUT_S = 1.0

type FileStamp = tuple[int, int, int]
"""The modification time, the size and the inode of a file."""


def secret_key(secret: str) -> Key:
    """Return a secret as a key for HS256."""
    jwk = {"kty": "oct", "alg": "HS256", "k": base64url_encode(secret.encode()).decode()}
    return Key(None, PyJWK.from_dict(jwk), True)


class _KeyFileReading(NamedTuple):
    """Result of reading the key file. `keys` is None if the file is unchanged or cannot be used."""

    stamp: FileStamp | None
    keys: list[Key] | None = None
    skipped: Sequence[str] = ()
    fault: str | None = None


class KeyRing:
    """The current keys. `version` increases when they change."""

    def __init__(self, secret: str | None, path: Path | None) -> None:
        self._secret = [] if secret is None else [secret_key(secret)]
        self._path = path
        self._stamp: FileStamp | None = None
        self._keys: list[Key] = self._secret
        self.skipped: list[str] = []
        """Reasons why keys of the file were skipped."""
        self.fault: str | None = None
        """Fault of the file; None if it can be used."""
        self._fault_of_keys: str | None = None
        """Fault of the content that was read last."""
        self._reported: frozenset[str] = frozenset()
        self._pending: asyncio.Future[_KeyFileReading] | None = None
        self.version = 0
        if path is not None:
            self._apply(_read(path, None))

    async def refresh(self, timeout_s: float = _READ_TIMEOUT_S) -> None:
        """Read the file again if it changed, and log its keys. If it cannot be read, the previous keys stay: see `fault`.

        A thread reads it. A disk that stalls does not hold up the caller: after `timeout_s` it is a fault, and the thread continues.
        """
        if self._path is None:
            return
        if self._pending is None:
            self._pending = start_daemon_thread(partial(_read, self._path, self._stamp), "keys")
        done, _ = await asyncio.wait((self._pending,), timeout=timeout_s)
        if not done:
            self.fault = _fault("it cannot be read: the disk does not answer")
            return
        pending, self._pending = self._pending, None
        try:
            reading = pending.result()
        except ThreadLimitError as error:
            self.fault = _fault(f"it cannot be read: {error}")
            return
        if self._apply(reading):
            self.report()

    def report(self) -> None:
        """Log the keys, and why others are skipped. A reason is logged once, until the key is valid or removed."""
        if self._path is None:
            return
        for reason in self.skipped:
            if reason not in self._reported:
                log.warning("AUTH_JWKS key skipped", extra={"reason": reason})
        self._reported = frozenset(self.skipped)
        names = [key.id or "unnamed" for key in self._keys]
        log.info("AUTH_JWKS loaded", extra={"file": str(self._path), "keys": names})

    def _apply(self, reading: _KeyFileReading) -> bool:
        """Use the keys that were read. Return whether they changed."""
        if reading.keys is None:
            # The file may be readable again, with the same content as before.
            self.fault = reading.fault or self._fault_of_keys
            return False
        self._keys, self._stamp = [*reading.keys, *self._secret], reading.stamp
        self.skipped, self.fault, self._fault_of_keys = list(reading.skipped), reading.fault, reading.fault
        self.version += 1
        return True

    @property
    def reads_file(self) -> bool:
        """Whether there is a key file."""
        return self._path is not None

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, key_id: str | None) -> list[Key]:
        """Return the keys that may have signed a token with this `kid`."""
        if key_id is None:
            return self._keys
        return [key for key in self._keys if key.id == key_id] or [key for key in self._keys if not key.id]

    @property
    def signing(self) -> Key | None:
        """The first key that can sign."""
        return next((key for key in self._keys if key.signs), None)


def _read(path: Path, stamp_before: FileStamp | None) -> _KeyFileReading:
    """Read the file, unless it has the same stamp as before."""
    try:
        file = path.stat()
    except OSError as error:
        return _KeyFileReading(None, fault=_fault(f"it cannot be read: {error.strerror}"))
    stamp = (file.st_mtime_ns, file.st_size, file.st_ino)
    try:
        if stamp == stamp_before and stat.S_ISREG(file.st_mode):
            check_file(path)
            return _KeyFileReading(stamp)
        loaded = load_keys(path)
    except NoUsableKey as error:
        # The file is readable, so the keys that it had are revoked, although none is left.
        return _KeyFileReading(
            stamp,
            [],
            error.skipped,
            "AUTH_JWKS contains no usable key: add one, because tokens signed by its keys are rejected",
        )
    except (KeyFileError, FileError) as error:
        return _KeyFileReading(None, fault=_fault(error.reason))
    return _KeyFileReading(stamp, loaded.keys, loaded.skipped)


def _fault(reason: str) -> str:
    return f"AUTH_JWKS cannot be used: {reason}; the previous keys are used until it is corrected"
