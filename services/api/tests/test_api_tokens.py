"""Tokens: valid, expired, revoked and forged ones, and what each may do."""

import base64
import hmac
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from redis.asyncio import Redis

from fixtures.orders import NOTE, post_order
from fixtures.processes import Processes, Service, run_module
from fixtures.sim import Sim
from fixtures.stored_values import read_stream
from fixtures.tokens import SECRET, bearer_header, create_token
from sector.api.jwks import KeyFileError, load_keys
from sector.api.keyring import KeyRing
from sector.state.keys import SimKeys


@pytest.fixture
def api_settings() -> dict[str, str]:
    return {"AUTH_SECRET": SECRET}


def post(api: Service, bearer_token: str | None, order: object = NOTE) -> httpx.Response:
    return post_order(api, order, **({} if bearer_token is None else bearer_header(bearer_token)))


async def read_orders(redis: Redis) -> list[dict[bytes, bytes]]:
    return [fields for _, fields in await read_stream(redis, SimKeys("default").orders)]


async def test_a_token_is_for_its_faction_only(api: Service, redis: Redis) -> None:
    assert post(api, create_token("Crimson")).status_code == 202
    answer = post(api, create_token("Azure", "Jade"))
    assert (answer.status_code, answer.json()["title"]) == (403, "Forbidden")
    assert answer.json()["errors"] == [
        {
            "field": "faction",
            "message": "this token does not allow faction Crimson: use a token that does",
        }
    ]
    assert [fields[b"issuer"] for fields in await read_orders(redis)] == [b"tester"]


def test_orders_of_other_factions_in_a_list_are_rejected(api: Service) -> None:
    answer = post(api, create_token("Crimson"), [NOTE, NOTE | {"faction": "Azure"}])
    assert [result["status"] for result in answer.json()["results"]] == [202, 403]


async def test_an_admin_token_allows_all_factions_and_admin_orders(api: Service, sim: Sim, redis: Redis) -> None:
    admin = create_token(scope="admin")
    assert post(api, admin).status_code == 202
    give = {"type": "set_owner", "faction": None, "system": "S0"}
    order_id = post(api, admin, give).json()["id"]
    assert post(api, create_token("*"), give).status_code == 202
    assert post(api, create_token("Crimson"), give).status_code == 403
    assert [fields[b"scope"] for fields in await read_orders(redis)] == [b"admin", b"admin", b"player"]
    await sim.tick()
    status = httpx.get(f"{api.url}/orders/{order_id}").json()
    assert status["status"] == "applied"


def test_a_token_is_valid_only_in_its_sims(api: Service) -> None:
    assert post(api, create_token("Crimson", sim="default")).status_code == 202
    assert post(api, create_token("Crimson", sim=["other", "default"])).status_code == 202
    refused = post(api, create_token("Crimson", sim=["other"]))
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (403, "sim")


def _unsigned() -> str:
    header, body, _ = create_token("Crimson").split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    return f"{none}.{body}."


def _altered() -> str:
    header, _, signature = create_token("Crimson").split(".")
    _, body, _ = create_token("Azure").split(".")
    return f"{header}.{body}.{signature}"


BAD: dict[str, tuple[Callable[[], str | None], str]] = {
    "none at all": (lambda: None, "this request requires a token"),
    "no token": (lambda: "hello", "is not a JWT"),
    "expired": (lambda: create_token("Crimson", exp=int(time.time()) - 1), "expired"),
    "without end": (lambda: create_token("Crimson", exp=None), "exp"),
    "without a subject": (lambda: create_token("Crimson", sub=None), "sub"),
    "not yet": (lambda: create_token("Crimson", nbf=int(time.time()) + 600), "ahead of the clock"),
    "of the future": (lambda: create_token("Crimson", iat=int(time.time()) + 600), "ahead of the clock"),
    "of a name that is no text": (lambda: create_token("Crimson", sub=7), "its sub must be a string"),
    "of a time that is no number": (lambda: create_token("Crimson", iat="soon"), "ahead of the clock"),
    "for another service": (lambda: create_token("Crimson", aud="billing"), "its claim aud must be sector"),
    "for no service": (lambda: create_token("Crimson", aud=None), "aud"),
    "signed by another": (lambda: create_token("Crimson", secret="x" * 40), "not signed by a key of this API"),
    "unsigned": (_unsigned, "the token is invalid"),
    "altered": (_altered, "not signed by a key of this API"),
    "of a name with a line break": (lambda: create_token("Crimson", sub="a\nb"), "claim sub"),
    "of a name that colours": (lambda: create_token("Crimson", sub="\x1b[31mred"), "claim sub"),
    "of a name with a zero": (lambda: create_token("Crimson", sub="a\0"), "claim sub"),
    "of a name that turns the line": (lambda: create_token("Crimson", sub="a\u202eb"), "claim sub"),
    "of a name too long": (lambda: create_token("Crimson", sub="x" * 129), "claim sub"),
    "of no name": (lambda: create_token("Crimson", sub=""), "claim sub"),
    "of a scope unknown": (lambda: create_token("Crimson", scope="god"), "claim scope"),
}


@pytest.mark.parametrize("kind", BAD)
async def test_an_invalid_token_is_a_401_with_the_reason(api: Service, redis: Redis, kind: str) -> None:
    make, fault = BAD[kind]
    answer = post(api, make())
    assert answer.status_code == 401
    assert fault in answer.json()["detail"]
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert await read_orders(redis) == []


def test_another_authorization_scheme_is_rejected(api: Service) -> None:
    answer = httpx.post(f"{api.url}/orders", json=NOTE, auth=("me", "secret"))
    assert answer.status_code == 401


def test_reading_needs_no_token(api: Service) -> None:
    for path in ("/snapshot", "/map", "/events", "/sims", "/sims/default"):
        assert httpx.get(f"{api.url}{path}").status_code == 200
    assert httpx.get(f"{api.url}/health").json()["auth"] == "tokens"


def test_an_api_without_keys_is_open_and_logs_a_warning(sim: Sim, redis_url: str, processes: Processes) -> None:
    del sim
    api = processes.start("api", REDIS_URL=redis_url)
    assert post(api, None).status_code == 202
    assert httpx.get(f"{api.url}/health").json()["auth"] == "open"
    assert _until(lambda: "authentication is disabled" in api.log.read_text())


@pytest.fixture
def signer() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def public(signer: ec.EllipticCurvePrivateKey, key_id: str) -> dict[str, str]:
    jwk: dict[str, str] = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(signer.public_key()))
    return jwk | {"kid": key_id, "alg": "ES256"}


def _signed(signer: ec.EllipticCurvePrivateKey, key_id: str) -> str:
    claims = {"sub": "tester", "aud": "sector", "exp": int(time.time()) + 600, "faction": "Crimson"}
    return jwt.encode(claims, signer, "ES256", headers={"kid": key_id})


def test_keys_of_a_file_change_without_a_restart(
    sim: Sim, redis_url: str, processes: Processes, tmp_path: Path, signer: ec.EllipticCurvePrivateKey
) -> None:
    del sim
    path, later = tmp_path / "keys.json", ec.generate_private_key(ec.SECP256R1())
    path.write_text(json.dumps({"keys": [public(signer, "one")]}))
    api = processes.start("api", REDIS_URL=redis_url, AUTH_JWKS=str(path))
    old, new = _signed(signer, "one"), _signed(later, "two")
    assert [post(api, held).status_code for held in (old, new)] == [202, 401]
    path.write_text(json.dumps({"keys": [public(later, "two")]}))
    assert _until(lambda: post(api, new).status_code == 202)
    # Cached tokens of the removed key are rejected.
    assert post(api, old).status_code == 401
    path.write_text("not a JWKS")
    assert _until(lambda: "the previous keys are used" in api.log.read_text() or post(api, new).status_code != 202)
    assert post(api, new).status_code == 202


def _until(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.1)
    return False


def test_a_public_key_is_not_accepted_as_a_secret(
    sim: Sim, redis_url: str, processes: Processes, tmp_path: Path, signer: ec.EllipticCurvePrivateKey
) -> None:
    """Algorithm confusion: HS256 with the public key as its secret."""
    del sim
    public_key = public(signer, "one")
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [public_key]}))
    api = processes.start("api", REDIS_URL=redis_url, AUTH_JWKS=str(path))
    for secret in (json.dumps(public_key), public_key["x"] + public_key["y"]):
        # Built by hand, because the library refuses to do it.
        header = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT","kid":"one"}').rstrip(b"=")
        signed = header + b"." + create_token("Crimson").split(".")[1].encode()
        signature = base64.urlsafe_b64encode(hmac.digest(secret.encode(), signed, "sha256")).rstrip(b"=")
        forged = (signed + b"." + signature).decode()
        assert post(api, forged).status_code == 401


@pytest.fixture
def command() -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return run_module("sector.api", "token", *arguments, settings=settings)

    return run


def test_the_command_prints_a_valid_token(
    api: Service, command: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    finished = command("--faction", "Crimson", "--sim", "default", AUTH_SECRET=SECRET)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert post(api, finished.stdout.strip()).status_code == 202
    admin = command("--admin", AUTH_SECRET=SECRET).stdout.strip()
    assert post(api, admin, NOTE | {"faction": "Azure"}).status_code == 422, "it may; there is no such faction"


@pytest.mark.parametrize(
    ("arguments", "settings", "expected"),
    [
        ((), {"AUTH_SECRET": SECRET}, "--faction or --admin is required"),
        (("--faction", "Me"), {}, "no signing key"),
        (("--faction", "Me"), {"AUTH_SECRET": "short"}, "wrong setting AUTH_SECRET"),
        (("--faction", "Me", "--subject", "a\nb"), {"AUTH_SECRET": SECRET}, "--subject must have 1 to 128 characters"),
        (("--faction", "Me", "--hours", "0"), {"AUTH_SECRET": SECRET}, "--hours must be above 0"),
    ],
)
def test_the_command_names_missing_arguments(
    command: Callable[..., subprocess.CompletedProcess[str]],
    arguments: tuple[str, ...],
    settings: dict[str, str],
    expected: str,
) -> None:
    finished = command(*arguments, **settings)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert expected in finished.stderr


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        ("{", "cannot be read"),
        ("{}", "it is not a JWKS"),
        ('{"keys": []}', "no usable key"),
        ('{"keys": [{"kty": "oct"}]}', "key 0 is invalid"),
        ('{"keys": [{"kty": "AKP", "kid": "pq"}]}', 'key "pq" has unsupported type "AKP" and was skipped'),
    ],
)
def test_an_unusable_key_file_exits_with_2(processes: Processes, tmp_path: Path, contents: str, expected: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(contents)
    api = processes.start("api", wait=False, AUTH_JWKS=str(path))
    assert api.process.wait(timeout=60) == 2
    assert "wrong setting AUTH_JWKS" in api.log.read_text()
    assert expected in api.log.read_text()


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        ('{"keys": [1]}', "key 0 is not an object"),
        (
            '{"keys": [{"kty": "oct", "k": "c2VjcmV0", "alg": "HS256", "use": "enc"}]}',
            "it contains no usable key",
        ),
        ("[" * 100_000, "it cannot be read"),
    ],
)
def test_an_unusable_signing_key_is_rejected(tmp_path: Path, keys: str, error: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(keys)
    with pytest.raises(KeyFileError, match=error):
        load_keys(path)


def test_a_key_for_another_use_is_skipped(tmp_path: Path, signer: ec.EllipticCurvePrivateKey) -> None:
    path = tmp_path / "keys.json"
    path.write_text(
        json.dumps({"keys": [public(signer, "one") | {"use": "enc"}, public(signer, "two") | {"use": "sig"}]})
    )
    assert [key.id for key in load_keys(path).keys] == ["two"]


async def test_an_unchanged_key_file_is_not_read_again(tmp_path: Path, signer: ec.EllipticCurvePrivateKey) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [public(signer, "one")]}))
    ring = KeyRing(None, path)
    (before,) = ring.find("one")
    await ring.refresh(timeout_s=60)
    (after,) = ring.find("one")
    assert after is before
    assert ring.version == 1
    path.write_text(json.dumps({"keys": [public(signer, "another")]}))
    await ring.refresh(timeout_s=60)
    assert [key.id for key in ring.find("another")] == ["another"]
    assert ring.version == 2


def test_a_secret_in_a_wrong_setting_is_not_shown(processes: Processes) -> None:
    api = processes.start("api", wait=False, AUTH_SECRET="too short to be good")
    assert api.process.wait(timeout=60) == 2
    assert "too short to be good" not in api.log.read_text()
    assert "AUTH_SECRET" in api.log.read_text()


@pytest.mark.parametrize("claims", [{"iat": 1}, {"nbf": 1}, {"iat": 5, "nbf": 5}, {"iat": 1.5}])
def test_a_token_from_a_clock_seconds_ahead_is_accepted(api: Service, claims: dict[str, float]) -> None:
    ahead: dict[str, Any] = {name: time.time() + ahead_s for name, ahead_s in claims.items()}
    answer = httpx.post(f"{api.url}/orders", json=NOTE, headers=bearer_header(create_token("Crimson", **ahead)))
    assert answer.status_code == 202
