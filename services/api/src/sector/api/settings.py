"""Settings of the API."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from sector.api.jwks import KeyFileError, load_keys
from sector.api.keyring import KeyRing
from sector.models.urls import parse_origin
from sector.process import LowerCase, OperatorPort, Port, SecretSetting, SimIdSetting, TracedSettings
from sector.state.redis.durability import Durability, Kind
from sector.state.redis.url import RedisUrl
from sector.state.sims.requests import MAX_SIMS

SHORTEST_SECRET = 32
_LEAST_RATE = 0.001


def _long_enough(secret: SecretStr | None) -> SecretStr | None:
    if secret is not None and len(secret.get_secret_value()) < SHORTEST_SECRET:
        raise ValueError(f"{len(secret.get_secret_value())} characters are too few")
    return secret


def _readable(path: Path | None) -> Path | None:
    if path is not None:
        try:
            load_keys(path)
        except KeyFileError as error:
            raise ValueError(str(error)) from error
    return path


def _measurable(rate: float) -> float:
    if 0 < rate < _LEAST_RATE:
        raise ValueError(f"{rate:g} is too little to be told from none")
    return rate


def _origins(value: object) -> object:
    """Return origins as browsers write them, each once."""
    if not isinstance(value, str):
        return value
    texts = [each.strip() for each in value.split(",") if each.strip()]
    return tuple(dict.fromkeys(each if each == "*" else parse_origin(each) for each in texts))


Rate = Annotated[float, AfterValidator(_measurable)]
AuthSecret = Annotated[
    SecretSetting,
    AfterValidator(_long_enough),
    Field(
        default=None,
        description=f"Tokens are signed with it (HS256): at least {SHORTEST_SECRET} characters,"
        " white space around it not counted. Without it and AUTH_JWKS: open to all.",
    ),
]
Audience = Annotated[
    str,
    Field(
        default="sector",
        pattern=r"^[\x21-\x7e]{1,200}$",
        description="What `aud` of a token must be: one for another service of the same issuer is refused. 1 to 200 characters.",
    ),
]


class ApiSettings(TracedSettings):
    """What the API can be told."""

    redis_url: RedisUrl
    sim_id: SimIdSetting
    order_durability: Annotated[Kind, LowerCase] = Field(
        default="memory",
        description="What an acknowledged order outlasts: memory (our processes), aof (Redis' restart), replica (a failover).",
    )
    durability_replicas: int = Field(
        default=1,
        ge=1,
        le=100,
        description="Of ORDER_DURABILITY replica: how many must have an order; with all there are it outlasts any failover. 1 to 100.",
    )
    durability_timeout_ms: int = Field(
        default=1000,
        ge=1,
        le=60_000,
        description="Milliseconds to wait for that; after them the answer is 503. 1 to 60000.",
    )
    auth_secret: AuthSecret
    auth_jwks: Annotated[Path | None, AfterValidator(_readable)] = Field(
        default=None,
        description="A file of keys (JWKS) that tokens may be signed with, read again when it changes. RSA, EC, OKP and oct keys.",
    )
    auth_audience: Audience
    rate_per_token: Rate = Field(
        default=200,
        ge=0,
        le=1_000_000,
        description="Orders a second of a token, ten seconds' worth at once; over all APIs. 0: any number; else 0.001 to 1000000.",
    )
    rate_per_address: Rate = Field(
        default=1000,
        ge=0,
        le=1_000_000,
        description="Orders a second from one address, ten seconds' worth at once; over all APIs. 0: any number; else 0.001 to 1000000.",
    )
    requests_per_token: Rate = Field(
        default=500,
        ge=0,
        le=1_000_000,
        description="Requests a second of a token, ten seconds' worth at once; over all APIs. Large ones count as several."
        " 0: any number; else 0.001 to 1000000.",
    )
    requests_per_address: Rate = Field(
        default=2000,
        ge=0,
        le=1_000_000,
        description="Requests a second from one address, ten seconds' worth at once; over all APIs. Large ones count as several."
        " 0: any number; else 0.001 to 1000000.",
    )
    most_waiting_orders: int = Field(
        default=100_000,
        ge=0,
        le=10_000_000,
        description="Orders that may wait for the worker of a sim before others are refused with 429. 0: any number; to 10000000.",
    )
    max_sims: int = Field(
        default=MAX_SIMS,
        ge=1,
        le=1_000_000,
        description="Sims there may be before POST /sims and POST /sims/{id}/fork are refused with 403, 1 to 1000000.",
    )
    cors_origins: Annotated[tuple[str, ...], BeforeValidator(_origins)] = Field(
        default=(),
        description="Origins whose pages may use this API, such as https://example.org: scheme, host, and port if it is"
        " not the default. Several with commas, or * for all.",
    )
    proxies: int = Field(
        default=0,
        ge=0,
        le=10,
        description="Proxies before this API whose X-Forwarded-For is believed, 0 to 10: addresses are counted from there.",
    )
    access_log: Annotated[Literal["all", "errors", "none"], LowerCase] = Field(
        default="errors",
        description="Which requests are logged, a line of JSON each: all, errors (answered with 400 and above) or none.",
    )
    sender_timeout_s: float = Field(
        default=10.0,
        ge=0.1,
        le=3600,
        description="Seconds that a client may take to send a request; then it is answered with 408. 0.1 to 3600.",
    )
    most_streams: int = Field(
        default=10_000, ge=1, le=1_000_000, description="Event streams that may be open at once, 1 to 1000000."
    )
    reader_timeout_s: float = Field(
        default=10.0,
        ge=0.1,
        le=3600,
        description="Seconds that an event stream waits for a reader that takes nothing, then it is cut. 0.1 to 3600.",
    )
    heartbeat_s: float = Field(
        default=15.0,
        ge=0.1,
        le=50,
        description="Seconds after which a silent event stream is sent a sign of life, 0.1 to 50.",
    )
    port: Port = Field(default=8000, description="Port to listen at, 1 to 65535.")
    operator_port: OperatorPort
    max_body_bytes: int = Field(
        default=1_048_576,
        ge=1024,
        le=104_857_600,
        description="Largest body of a request, in bytes, 1024 to 104857600.",
    )

    @property
    def durability(self) -> Durability:
        """What is waited for before an order is acknowledged."""
        return Durability(self.order_durability, self.durability_timeout_ms, self.durability_replicas)

    @property
    def redis_timeout_s(self) -> float:
        """How long Redis may take for one exchange, in seconds: longer than for its word that an order is durable."""
        return 3.0 if self.order_durability == "memory" else 3.0 + self.durability_timeout_ms / 1000

    @property
    def is_open(self) -> bool:
        """Whether no token is needed."""
        return self.auth_secret is None and self.auth_jwks is None

    @property
    def key_ring(self) -> KeyRing | None:
        """What tokens may be signed with; None where no token is needed."""
        if self.is_open:
            return None
        return KeyRing(self.auth_secret.get_secret_value() if self.auth_secret else None, self.auth_jwks)
