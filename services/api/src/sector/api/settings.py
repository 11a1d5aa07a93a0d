"""Settings of the API."""

from pydantic import Field

from sector.process import Port, RedisUrl, Settings, SimIdSetting


class ApiSettings(Settings):
    """What the API can be told."""

    redis_url: RedisUrl
    sim_id: SimIdSetting
    port: Port = Field(default=8000, description="Port to listen at, 1 to 65535.")
    max_body_bytes: int = Field(
        default=1_048_576,
        ge=1024,
        le=104_857_600,
        description="Largest body of a request, in bytes, 1024 to 104857600.",
    )
