"""Key files: weak, unknown and unsuitable keys are skipped with a reason, and the others are used."""

import base64
import json
import logging
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519

from fixtures.orders import NOTE
from fixtures.processes import Processes
from fixtures.sim import Sim
from fixtures.tokens import bearer_header, create_token
from fixtures.waiting import wait_until
from sector.api.jwks import KeyFileError, load_keys
from sector.api.keyring import KeyRing

STRONG = "a secret of the file, and long enough by far"
OTHER = "another secret of the file, and long enough too"


def secret(text: str | bytes, key_id: str = "one", **more: Any) -> dict[str, Any]:
    raw = text.encode() if isinstance(text, str) else text
    return {
        "kty": "oct",
        "kid": key_id,
        "alg": "HS256",
        "k": base64.urlsafe_b64encode(raw).rstrip(b"=").decode(),
        **more,
    }


def rsa_key(bits: int, **more: Any) -> dict[str, Any]:
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, bits).public_key()))
    return {"kid": "rsa", "kty": jwk["kty"], "n": jwk["n"], "e": jwk["e"], **more}


def ec_key(**more: Any) -> dict[str, Any]:
    jwk: dict[str, Any] = json.loads(
        jwt.algorithms.ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key())
    )
    return {"kid": "ec"} | jwk | more


def okp_key() -> dict[str, Any]:
    jwk: dict[str, Any] = json.loads(
        jwt.algorithms.OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate().public_key())
    )
    return {"kid": "okp"} | jwk


def exchange_key() -> dict[str, Any]:
    raw = x25519.X25519PrivateKey.generate().public_key().public_bytes_raw()
    return {"kid": "x", "kty": "OKP", "crv": "X25519", "x": base64.urlsafe_b64encode(raw).rstrip(b"=").decode()}


def write(path: Path, *keys: object) -> Path:
    path.write_text(json.dumps({"keys": keys}))
    return path


GOOD: list[dict[str, Any]] = [
    secret(STRONG),
    secret(STRONG, use="sig"),
    secret(STRONG, key_ops=["sign", "verify"]),
    secret("x" * 32),
    rsa_key(2048),
    rsa_key(2048, alg="PS256"),
    ec_key(),
    okp_key(),
]

BAD: list[tuple[object, str]] = [
    (secret("x"), 'key "one" has fewer than 32 bytes and was skipped'),
    (secret("x" * 31), 'key "one" has fewer than 32 bytes and was skipped'),
    (secret(""), 'key "one"'),
    (rsa_key(1024), 'key "rsa" has 1024 bits, fewer than 2048, and was skipped'),
    (secret(STRONG, key_ops=["encrypt"]), 'key "one" has key_ops without "verify" and was skipped'),
    (secret(STRONG, key_ops=["sign"]), 'key "one" has key_ops without "verify" and was skipped'),
    (secret(STRONG, key_ops="verify"), 'key "one" has key_ops without "verify" and was skipped'),
    (secret(STRONG, use="enc"), 'key "one" has use "enc", not "sig", and was skipped'),
    (secret(STRONG, use=None), 'key "one" has use null, not "sig", and was skipped'),
    (secret(STRONG, alg="none"), 'key "one" has unsupported algorithm "none" for type "oct" and was skipped'),
    (secret(STRONG, alg=["HS256"]), 'key "one" has unsupported algorithm ["HS256"]'),
    (secret(STRONG, alg="RS256"), 'key "one" has unsupported algorithm "RS256" for type "oct"'),
    (rsa_key(2048, alg="HS256"), 'key "rsa" has unsupported algorithm "HS256" for type "RSA"'),
    (ec_key(alg="ES999"), 'key "ec" has unsupported algorithm "ES999"'),
    (ec_key(x="AA"), 'key "ec" is invalid'),
    (ec_key(crv="P-1"), 'key "ec" is invalid'),
    (exchange_key(), 'key "x" is invalid'),
    ({"kty": "AKP", "kid": "pq", "alg": "ML-DSA-65"}, 'key "pq" has unsupported type "AKP" and was skipped'),
    ({"kty": ["oct"], "kid": "pq"}, 'key "pq" has unsupported type ["oct"] and was skipped'),
    ({"kid": "bare"}, 'key "bare" has unsupported type null and was skipped'),
    ({"kty": "oct", "kid": "no k"}, 'key "no k" is invalid'),
    ({"kty": "oct", "kid": "k", "k": 7}, 'key "k" is invalid'),
    (secret(STRONG, 7), "key 7 has a kid that is not a string and was skipped"),  # type: ignore[arg-type]  # that is the point
    (secret("x", "\x1b]0;pwned\x07"), r'key "\u001b]0;pwned\u0007" has fewer than 32 bytes'),
    (secret("x", "k" * 1000), "has fewer than 32 bytes"),
    (1, "key 0 is not an object and was skipped"),
    (None, "key 0 is not an object and was skipped"),
]


@pytest.mark.parametrize("key", GOOD)
def test_a_strong_signature_key_is_used(tmp_path: Path, key: dict[str, Any]) -> None:
    loaded = load_keys(write(tmp_path / "keys.json", key))
    assert [each.id for each in loaded.keys] == [key["kid"]]
    assert loaded.skipped == []


@pytest.mark.parametrize(("key", "expected"), BAD)
def test_a_weak_or_unknown_key_is_skipped_and_named(tmp_path: Path, key: object, expected: str) -> None:
    keys, skipped = load_keys(write(tmp_path / "keys.json", key, secret(STRONG, "good")))
    assert [each.id for each in keys] == ["good"]
    (reason,) = skipped
    assert reason.startswith(expected) or expected in reason
    assert reason.isprintable()
    assert len(reason) < 200
    with pytest.raises(KeyFileError, match="it contains no usable key; key "):
        load_keys(write(tmp_path / "keys.json", key))


async def test_a_removed_key_is_revoked(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A compromised key must not stay valid because of another key in the file."""
    path = write(tmp_path / "keys.json", secret(STRONG, "stolen"), secret(OTHER, "good"))
    ring = KeyRing(None, path)
    assert [key.id for key in ring.find("stolen")] == ["stolen"]
    with caplog.at_level(logging.WARNING):
        write(path, {"kty": "AKP", "kid": "pq"}, secret(OTHER, "good"))
        await ring.refresh(timeout_s=60)
    assert ring.find("stolen") == []
    assert [vars(record)["reason"] for record in caplog.records] == [
        'key "pq" has unsupported type "AKP" and was skipped'
    ]
    await ring.refresh(timeout_s=60)
    assert len(caplog.messages) == 1, "once for each change of the file"


def test_with_every_kind_of_key_in_the_file_no_token_is_a_500(
    sim: Sim, redis_url: str, processes: Processes, tmp_path: Path
) -> None:
    del sim
    path = write(tmp_path / "keys.json", *(key for key, _ in BAD), secret(STRONG, "good"), *GOOD[4:])
    api = processes.start("api", REDIS_URL=redis_url, AUTH_JWKS=str(path))
    assert httpx.get(f"{api.url}/health").json()["keys"] == 1 + len(GOOD[4:])
    assert httpx.get(f"{api.url}/health").json()["keys_skipped"] == len(BAD)
    for signer, status in ((STRONG, 202), ("x", 401), ("x" * 31, 401), (OTHER, 401)):
        held = bearer_header(create_token("Crimson", secret=signer))
        assert httpx.post(f"{api.url}/orders", json=NOTE, headers=held).status_code == status
    claims = {"sub": "tester", "aud": "sector", "exp": 2**33, "faction": "Crimson"}
    for algorithm, key_id in (("none", "one"), ("HS512", "good"), ("ES256", "ec"), ("EdDSA", "okp"), ("RS256", "rsa")):
        header, body = (
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
            for part in ({"alg": algorithm, "typ": "JWT", "kid": key_id}, claims)
        )
        for signature in ("", "AA", base64.urlsafe_b64encode(bytes(64)).decode().rstrip("="), "A" * 400):
            held = bearer_header(f"{header}.{body}.{signature}")
            assert httpx.post(f"{api.url}/orders", json=NOTE, headers=held).status_code == 401
    assert "Traceback" not in api.log.read_text()
    wait_until(lambda: api.log.read_text().count("was skipped") == len(BAD), "each key that was skipped is named once")


async def test_a_file_without_a_usable_key_revokes_the_previous_keys(tmp_path: Path) -> None:
    for left in ([], [{"kty": "AKP", "kid": "pq"}], [1]):
        path = write(tmp_path / "keys.json", secret(STRONG, "stolen"))
        ring = KeyRing(OTHER, path)
        write(path, *left)
        await ring.refresh(timeout_s=60)
        assert [key.id for key in ring.find("stolen")] == [None], "AUTH_SECRET is valid all the same"
        assert len(ring) == 1
        assert "no usable key" in str(ring.fault)
        write(path, secret(STRONG, "new"))
        await ring.refresh(timeout_s=60)
        assert ([key.id for key in ring.find("new")], ring.fault) == (["new"], None)


async def test_a_reason_is_logged_once_for_as_long_as_the_key_is_invalid(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    odd = {"kty": "AKP", "kid": "pq"}
    ring = KeyRing(None, write(tmp_path / "keys.json", secret(STRONG)))
    with caplog.at_level(logging.WARNING):
        for number in range(3):
            write(tmp_path / "keys.json", odd, secret(f"{STRONG} {number}"))
            await ring.refresh(timeout_s=60)
    assert [vars(record)["reason"] for record in caplog.records] == [
        'key "pq" has unsupported type "AKP" and was skipped'
    ]


CORRUPT: dict[str, bytes | None] = {
    "gone": None,
    "empty": b"",
    "cut": b'{"keys": [{"kty": "oc',
    "no UTF-8": b"\xff\xfe\x00",
    "no JWKS": b"[]",
    "zeros": bytes(64),
}


def test_an_unreadable_key_file_is_an_error_until_it_is_readable(
    sim: Sim, redis_url: str, processes: Processes, tmp_path: Path
) -> None:
    del sim
    path = write(tmp_path / "keys.json", secret(STRONG))
    api = processes.start("api", REDIS_URL=redis_url, AUTH_JWKS=str(path))
    held = bearer_header(create_token("Crimson", secret=STRONG))
    for content in CORRUPT.values():
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
        health = api.wait_for(lambda health: "fault" in health["conditions"].get("keys", {}), "in a fault of its keys")
        condition = health["conditions"]["keys"]
        assert condition["fault"].startswith("AUTH_JWKS cannot be used: ")
        assert (health["ready"], condition["blocks"], condition["since_ms"] > 1e12) == (True, False, True)
        assert httpx.post(f"{api.url}/orders", json=NOTE, headers=held).status_code == 202, "its keys are still valid"
        write(path, secret(STRONG))
        api.wait_for(lambda health: health["conditions"]["keys"]["ok"], "without a fault")
    write(path, secret(OTHER))
    wait_until(
        lambda: httpx.post(f"{api.url}/orders", json=NOTE, headers=held).status_code == 401, "the old key is revoked"
    )
    assert "Traceback" not in api.log.read_text()
