"""JWKS: a file of keys (RFC 7517). Keys that cannot be used safely are skipped."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from jwt import PyJWK

from sector.models.regular_file import FileError, read_file

MAX_FILE_BYTES = 2**20
MIN_SECRET_BYTES = 32
MIN_RSA_BITS = 2048
_ALGORITHMS = {
    "oct": ("HS256", "HS384", "HS512"),
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES256K", "ES384", "ES512"),
    "OKP": ("EdDSA",),
}
"""The algorithms of each type of key."""

_MAX_NAME = 64
_MAX_WORD = 20


class KeyFileError(ValueError):
    """A key file that cannot be used, and the reason."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class NoUsableKey(KeyFileError):
    """A key file without a key that can be used. `skipped` has the reasons."""

    def __init__(self, path: Path, skipped: list[str]) -> None:
        super().__init__(path, "; ".join(["it contains no usable key", *skipped[:5]]))
        self.skipped = skipped


class KeySkipped(ValueError):
    """A key that is not used, and the reason. `key` is its `kid`, or its position in the file."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"key {key} {reason} and was skipped")
        self.key = key
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Key:
    """A key and its only algorithm. The algorithm in the header of a token is ignored. `id` is the `kid`, or None."""

    id: str | None
    jwk: PyJWK
    signs: bool

    @property
    def algorithm(self) -> str:
        return self.jwk.algorithm_name


class KeySet(NamedTuple):
    """The keys of a file that can be used, and the reasons why others were skipped."""

    keys: list[Key]
    skipped: list[str]


def load_keys(path: Path) -> KeySet:
    """Return the keys in a file. Raises KeyFileError if it is no JWKS, NoUsableKey if no key can be used."""
    try:
        content = json.loads(read_file(path, MAX_FILE_BYTES))
    except FileError as error:
        raise KeyFileError(path, error.reason) from error
    except (ValueError, RecursionError) as error:
        raise KeyFileError(path, "it cannot be read: it is not JSON") from error
    listed = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(listed, list):
        raise KeyFileError(path, 'it is not a JWKS: {"keys": [...]}')
    loaded = KeySet([], [])
    for number, each in enumerate(listed):
        try:
            loaded.keys.append(_key(number, each))
        except KeySkipped as skipped:
            loaded.skipped.append(str(skipped))
    if not loaded.keys:
        raise NoUsableKey(path, loaded.skipped)
    return loaded


def _key(number: int, fields: object) -> Key:
    """Return a key. Raises KeySkipped."""
    if not isinstance(fields, dict):
        raise KeySkipped(str(number), "is not an object")
    name = _quoted(fields["kid"]) if "kid" in fields else str(number)
    if reason := _check_type(fields):
        raise KeySkipped(name, reason)
    try:
        jwk = PyJWK.from_dict(fields)
        weakness = _check_strength(fields, jwk)
    except Exception as error:
        # The libraries raise errors of many types for invalid keys. No error may prevent the use of the other keys.
        raise KeySkipped(name, f"is invalid ({type(error).__name__})") from error
    if weakness:
        raise KeySkipped(name, weakness)
    signs = (fields["kty"] == "oct" or "d" in fields) and "sign" in fields.get("key_ops", ("sign",))
    return Key(fields.get("kid"), jwk, signs)


def _check_type(fields: Mapping[str, object]) -> str:
    """Return why a key is not one for supported signatures; "" if it is."""
    kind, use, operations = fields.get("kty"), fields.get("use", "sig"), fields.get("key_ops", ["verify"])
    if not isinstance(fields.get("kid", ""), str):
        return "has a kid that is not a string"
    if not isinstance(kind, str) or kind not in _ALGORITHMS:
        return f"has unsupported type {_quoted_choice(kind)}"
    if use != "sig":
        return f'has use {_quoted_choice(use)}, not "sig",'
    if not isinstance(operations, list) or "verify" not in operations:
        return 'has key_ops without "verify"'
    if "alg" in fields and fields["alg"] not in _ALGORITHMS[kind]:
        return f"has unsupported algorithm {_quoted_choice(fields['alg'])} for type {_quoted(kind)}"
    return ""


def _check_strength(fields: Mapping[str, object], jwk: PyJWK) -> str:
    """Return why a key is too weak; "" if it is strong enough."""
    key: object = jwk.key
    if fields["kty"] == "oct" and (not isinstance(key, bytes) or len(key) < MIN_SECRET_BYTES):
        return f"has fewer than {MIN_SECRET_BYTES} bytes"
    bits = getattr(key, "key_size", 0)
    if fields["kty"] == "RSA" and bits < MIN_RSA_BITS:
        return f"has {bits} bits, fewer than {MIN_RSA_BITS},"
    return ""


def _quoted(value: object) -> str:
    """Return a value of the file as JSON, cut to a maximum length."""
    text = json.dumps(value)
    return text if len(text) <= _MAX_NAME else f"{text[:_MAX_NAME]}…"


def _quoted_choice(value: object) -> str:
    """Return a value that must be one of a few words. A longer value is hidden, because it may be a secret in the wrong field."""
    text = _quoted(value)
    return text if len(text) <= _MAX_WORD else "(hidden)"
