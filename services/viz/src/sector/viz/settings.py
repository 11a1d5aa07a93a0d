"""Settings of the viz."""

from pydantic import Field

from sector.process import Port, RedisUrl, Settings, SimIdSetting


class VizSettings(Settings):
    """What the viz can be told."""

    redis_url: RedisUrl
    sim_id: SimIdSetting
    port: Port = Field(default=9000, description="Port to listen at, 1 to 65535.")
