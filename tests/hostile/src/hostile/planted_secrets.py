"""Secrets that are planted where processes read them, each broken in some way. A new case is one line."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from jwt.utils import base64url_encode

from fixtures.tokens import create_token

PASSWORD = "hunter2-of-redis-and-more"
SECRET = "hunter2-secret-that-signs-tokens-and-is-long"
OF_FILE = "hunter2-key-in-a-file-of-keys-long-enough"
SIGNER = "hunter2-signs-a-token-of-a-bot-for-this-test"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the processes of a case run. `closed_port`: nothing listens there."""

    redis_port: int
    api_url: str
    closed_port: int
    folder: Path


type Settings = dict[str, str]


@dataclass(frozen=True, slots=True)
class Planted:
    """A process with a secret that is broken in some way: what it is told, and what may be nowhere outside of it."""

    name: str
    service: str
    settings: Callable[[Place], Settings]
    secrets: tuple[str, ...]


def _redis(url: str) -> Callable[[Place], Settings]:
    return lambda at: {"redis_url": url.format(password=PASSWORD, port=at.redis_port, closed=at.closed_port)}


def _traces(at: Place) -> Settings:
    return {
        "redis_url": f"redis://127.0.0.1:{at.redis_port}/0",
        "TRACES_URL": f"http://user:{PASSWORD}@127.0.0.1:{at.closed_port}",
        "MAX_TRACES_PER_SECOND": "1000",
    }


def _bot(held: str, url: str = "{api}") -> Callable[[Place], Settings]:
    return lambda at: {
        "API_URL": url.format(api=at.api_url, closed=at.closed_port, redis=at.redis_port),
        "API_TOKEN": held,
        "BOT_POLL_INTERVAL": "0.05",
    }


def _keys(*keys: dict[str, object]) -> Callable[[Place], Settings]:
    def settings(at: Place) -> Settings:
        path = at.folder / "keys.json"
        good = {"kty": "oct", "kid": "good", "k": base64url_encode(SECRET.encode()).decode()}
        path.write_text(json.dumps({"keys": [*keys, good]}))
        return {"redis_url": f"redis://127.0.0.1:{at.redis_port}/0", "AUTH_JWKS": str(path)}

    return settings


_K = base64url_encode(OF_FILE.encode()).decode()
_RSA: dict[str, object] = json.loads(RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048)))
_PRIVATE = tuple(str(_RSA[name]) for name in ("d", "p", "q", "dp", "dq", "qi"))
_OCT: dict[str, object] = {"kty": "oct", "kid": "broken", "k": _K}
_TOKEN = create_token("Robo", secret=SIGNER)
_OF_TOKEN = (_TOKEN, _TOKEN.rpartition(".")[2], _TOKEN.split(".")[1])

CASES = [
    Planted("redis away", "api", _redis("redis://api:{password}@127.0.0.1:{closed}/0"), (PASSWORD,)),
    Planted("redis refuses the password", "api", _redis("redis://api:{password}@127.0.0.1:{port}/0"), (PASSWORD,)),
    Planted("no such host", "viz", _redis("redis://viz:{password}@nowhere.invalid:1/0"), (PASSWORD,)),
    Planted("TLS with a server that has none", "worker", _redis("rediss://w:{password}@127.0.0.1:{port}/0"), (PASSWORD,)),
    Planted("a cluster that is none", "api", _redis("redis+cluster://api:{password}@127.0.0.1:{port}"), (PASSWORD,)),
    Planted("a cluster away", "worker", _redis("redis+cluster://w:{password}@127.0.0.1:{closed}"), (PASSWORD,)),
    Planted(
        "a Sentinel that is none",
        "viz",
        _redis("redis+sentinel://v:{password}@127.0.0.1:{port}/world?sentinel_password={password}"),
        (PASSWORD,),
    ),
    Planted("no such socket", "api", _redis("unix://api:{password}@/nowhere/valkey.sock"), (PASSWORD,)),
    Planted("no collector of traces", "api", _traces, (PASSWORD,)),
    Planted("a token with a line break at its end", "bot", _bot(f"{_TOKEN}\n"), _OF_TOKEN),
    Planted("a token with a tab around it", "bot", _bot(f"\t{_TOKEN} "), _OF_TOKEN),
    Planted("a token that the API refuses", "bot", _bot(_TOKEN), _OF_TOKEN),
    Planted("an API that speaks another protocol", "bot", _bot(_TOKEN, "http://127.0.0.1:{redis}"), _OF_TOKEN),
    Planted("an API without TLS", "bot", _bot(_TOKEN, "https://127.0.0.1:{redis}"), _OF_TOKEN),
    Planted("an API away", "bot", _bot(_TOKEN, "http://127.0.0.1:{closed}"), _OF_TOKEN),
    Planted("a key with a misspelled alg", "api", _keys(_OCT | {"alg": "HS265"}), (_K, OF_FILE)),
    Planted("an RSA key with a misspelled alg", "api", _keys(_RSA | {"alg": "RS265"}), _PRIVATE),
    Planted("an RSA key without its modulus", "api", _keys({**_RSA, "n": ""}), _PRIVATE),
    Planted("a key whose k is its alg", "api", _keys(_OCT | {"alg": _K}), (_K, OF_FILE)),
    Planted("a key whose k is its type", "api", _keys(_OCT | {"kty": OF_FILE}), (_K, OF_FILE)),
    Planted("a key whose k is no base64", "api", _keys(_OCT | {"k": f"{OF_FILE}!"}), (OF_FILE,)),
]  # fmt: skip
