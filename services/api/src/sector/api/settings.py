"""Settings of the API."""

from pydantic import Field

from sector.process import Port, RedisUrl, Settings, SimIdSetting
from sector.state.durability import Durability, Kind


class ApiSettings(Settings):
    """What the API can be told."""

    redis_url: RedisUrl
    sim_id: SimIdSetting
    order_durability: Kind = Field(
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
    port: Port = Field(default=8000, description="Port to listen at, 1 to 65535.")
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
