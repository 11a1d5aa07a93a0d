"""Settings of the API."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from sector.api.jwks import KeyFileError, load_keys
from sector.api.keyring import KeyRing
from sector.models.deprecated_names import deprecated_names
from sector.models.urls import parse_origin
from sector.process import EarlierName, LowerCase, OperatorPort, Port, SecretSetting, SimIdSetting, TracedSettings
from sector.state.redis.durability import Durability, Kind
from sector.state.redis.url import RedisUrl
from sector.state.sims.requests import MAX_SIMS

MIN_SECRET = 32
_MIN_RATE = 0.001


def _check_length(secret: SecretStr | None) -> SecretStr | None:
    if secret is not None and len(secret.get_secret_value()) < MIN_SECRET:
        raise ValueError(f"it has {len(secret.get_secret_value())} characters, and must have at least {MIN_SECRET}")
    return secret


def _check_key_file(path: Path | None) -> Path | None:
    if path is not None:
        try:
            load_keys(path)
        except KeyFileError as error:
            raise ValueError(str(error)) from error
    return path


def _check_rate(rate: float) -> float:
    if 0 < rate < _MIN_RATE:
        raise ValueError(f"{rate:g} is below {_MIN_RATE}, the lowest rate")
    return rate


def _parse_origins(value: object) -> object:
    """Return the origins in canonical form, without duplicates."""
    if not isinstance(value, str):
        return value
    texts = [each.strip() for each in value.split(",") if each.strip()]
    return tuple(dict.fromkeys(each if each == "*" else parse_origin(each) for each in texts))


Rate = Annotated[float, AfterValidator(_check_rate)]
AuthSecret = Annotated[
    SecretSetting,
    AfterValidator(_check_length),
    Field(
        default=None,
        description=f"Secret that signs tokens (HS256): at least {MIN_SECRET} characters, without white space around it."
        " If neither AUTH_SECRET nor AUTH_JWKS is set, the API is open to all.",
    ),
]
Audience = Annotated[
    str,
    Field(
        default="sector",
        pattern=r"^[\x21-\x7e]{1,200}$",
        description="Required `aud` of tokens: those for other services of the same issuer are rejected. 1 to 200 characters.",
    ),
]


class ApiSettings(TracedSettings):
    """Settings of the API."""

    redis_url: RedisUrl
    sim_id: SimIdSetting
    order_durability: Annotated[Kind, LowerCase] = Field(
        default="memory",
        description="What an acknowledged order survives: memory (restarts of Sector), aof (a restart of Redis), replica (a failover).",
    )
    durability_replicas: int = Field(
        default=1,
        ge=1,
        le=100,
        description="Replicas that must have an order, with ORDER_DURABILITY=replica. All of them: it survives any failover. 1 to 100.",
    )
    durability_timeout_ms: int = Field(
        default=1000,
        ge=1,
        le=60_000,
        description="Milliseconds to wait for the confirmation of durability; then the response is 503. 1 to 60000.",
    )
    auth_secret: AuthSecret
    auth_jwks: Annotated[Path | None, AfterValidator(_check_key_file)] = Field(
        default=None,
        description="File of keys (JWKS) that sign tokens, read again when it changes. RSA, EC, OKP and oct keys.",
    )
    auth_audience: Audience
    rate_per_token: Rate = Field(
        default=200,
        ge=0,
        le=1_000_000,
        description="Orders per second of a token, with a burst of ten seconds; over all APIs. 0: no limit; else 0.001 to 1000000.",
    )
    rate_per_address: Rate = Field(
        default=1000,
        ge=0,
        le=1_000_000,
        description="Orders per second of an address, with a burst of ten seconds; over all APIs. 0: no limit; else 0.001 to 1000000.",
    )
    requests_per_token: Rate = Field(
        default=500,
        ge=0,
        le=1_000_000,
        description="Requests per second of a token, with a burst of ten seconds; over all APIs. Large ones count as several."
        " 0: no limit; else 0.001 to 1000000.",
    )
    requests_per_address: Rate = Field(
        default=2000,
        ge=0,
        le=1_000_000,
        description="Requests per second of an address, with a burst of ten seconds; over all APIs. Large ones count as several."
        " 0: no limit; else 0.001 to 1000000.",
    )
    max_pending_orders: Annotated[int, EarlierName("MOST_WAITING_ORDERS")] = Field(
        default=100_000,
        ge=0,
        le=10_000_000,
        description="Pending orders of a sim: above this limit, orders are rejected with 429. 0: no limit; to 10000000.",
    )
    max_sims: int = Field(
        default=MAX_SIMS,
        ge=1,
        le=1_000_000,
        description="Maximum number of sims: above it, POST /sims and POST /sims/{id}/fork are rejected with 403. 1 to 1000000.",
    )
    cors_origins: Annotated[tuple[str, ...], BeforeValidator(_parse_origins)] = Field(
        default=(),
        description="Origins whose pages may use this API, such as https://example.org: scheme, host, and port if it is"
        " not the default. Separated by commas, or * for all.",
    )
    proxies: int = Field(
        default=0,
        ge=0,
        le=10,
        description="Number of trusted proxies in front of this API, 0 to 10: client addresses come from X-Forwarded-For.",
    )
    access_log: Annotated[Literal["all", "errors", "none"], LowerCase] = Field(
        default="errors",
        description="Which requests are logged: all, errors (status 400 and above) or none.",
    )
    request_timeout_s: Annotated[float, EarlierName("SENDER_TIMEOUT_S")] = Field(
        default=10.0,
        ge=0.1,
        le=3600,
        description="Seconds that a client may take to send a request; then the response is 408. 0.1 to 3600.",
    )
    max_streams: Annotated[int, EarlierName("MOST_STREAMS")] = Field(
        default=10_000, ge=1, le=1_000_000, description="Event streams that may be open at the same time, 1 to 1000000."
    )
    stream_write_timeout_s: Annotated[float, EarlierName("READER_TIMEOUT_S")] = Field(
        default=10.0,
        ge=0.1,
        le=3600,
        description="Seconds that an event stream waits for a client that reads nothing; then it is closed. 0.1 to 3600.",
    )
    heartbeat_s: float = Field(
        default=15.0,
        ge=0.1,
        le=50,
        description="Seconds between heartbeats in an event stream without events, 0.1 to 50.",
    )
    port: Port = Field(default=8000, description="Port to listen on, 1 to 65535.")
    operator_port: OperatorPort
    max_body_bytes: int = Field(
        default=1_048_576,
        ge=1024,
        le=104_857_600,
        description="Maximum size of a request body, in bytes, 1024 to 104857600.",
    )

    @property
    def durability(self) -> Durability:
        """The durability that an order must have before it is acknowledged."""
        return Durability(self.order_durability, self.durability_timeout_ms, self.durability_replicas)

    @property
    def redis_timeout_s(self) -> float:
        """Timeout of a request to Redis, in seconds: longer than the wait for durability."""
        return 3.0 if self.order_durability == "memory" else 3.0 + self.durability_timeout_ms / 1000

    @property
    def is_open(self) -> bool:
        """Whether requests need no token."""
        return self.auth_secret is None and self.auth_jwks is None

    @property
    def key_ring(self) -> KeyRing | None:
        """The keys that sign tokens; None if requests need no token."""
        if self.is_open:
            return None
        return KeyRing(self.auth_secret.get_secret_value() if self.auth_secret else None, self.auth_jwks)


__getattr__ = deprecated_names(__name__, {"SHORTEST_SECRET": "MIN_SECRET"})  # nosec B105  # a name
