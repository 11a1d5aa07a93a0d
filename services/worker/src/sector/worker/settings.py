"""Settings of the worker."""

import socket
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from sector.models import SimConfig
from sector.process import Port, RedisUrl, Settings, SimIdSetting


def _config(value: object) -> object:
    return SimConfig.model_validate_json(value) if isinstance(value, str) else value


class WorkerSettings(Settings):
    """What a worker can be told."""

    redis_url: RedisUrl
    sim_id: SimIdSetting
    tick_delay: float = Field(default=0.5, ge=0.0, le=3600, description="Seconds from one tick to the next, 0 to 3600.")
    lease_ttl_ms: int = Field(
        default=5000,
        ge=100,
        le=600_000,
        description="Milliseconds after which the lease of a dead worker lapses, 100 to 600000.",
    )
    worker_id: str = Field(
        default_factory=socket.gethostname,
        pattern=r"^[A-Za-z0-9._-]{1,64}$",
        description="Name of this worker in leases and logs: letters, digits, . _ -, up to 64.",
    )
    sim_config: Annotated[SimConfig, NoDecode, BeforeValidator(_config)] = Field(
        default=SimConfig(),
        description='The config of the sim if this worker founds it, as JSON, such as {"systems": 100, "seed": 7}.',
    )
    health_port: Port = Field(default=8080, description="Port of /health, 1 to 65535.")
