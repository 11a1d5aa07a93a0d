"""Settings of the worker."""

import socket
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo
from pydantic_core import from_json, to_json

from sector.models import SimConfig
from sector.models.mapfile import MapFile, read_map
from sector.models.regular_file import FileError
from sector.process import Port, SimsSetting, TracedSettings
from sector.state.history.retention import MAX_HISTORY_BYTES
from sector.state.redis.url import RedisUrl

ALL = "*"


def _config(value: object) -> object:
    return SimConfig.model_validate_json(value) if isinstance(value, str) else value


def _map(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return read_map(Path(value))
    except FileError as error:
        raise ValueError(error.reason) from error


def _on_its_map(config: SimConfig, info: ValidationInfo) -> SimConfig:
    """Return the config on the map that SIM_MAP names, if it names one."""
    map_file = info.data.get("sim_map")
    if map_file is None:
        return config
    fields = from_json(config.model_dump_json(exclude_unset=True)) | {"map": from_json(map_file.model_dump_json())}
    return SimConfig.model_validate_json(to_json(fields))


class WorkerSettings(TracedSettings):
    """Settings of a worker."""

    redis_url: RedisUrl
    sim_id: SimsSetting
    tick_delay: float = Field(default=0.5, ge=0.0, le=3600, description="Seconds from one tick to the next, 0 to 3600.")
    lease_ttl_ms: int = Field(
        default=5000,
        ge=100,
        le=600_000,
        description="Milliseconds until the lease of a dead worker expires, 100 to 600000.",
    )
    max_history_bytes: int = Field(
        default=MAX_HISTORY_BYTES,
        ge=1_048_576,
        le=1_099_511_627_776,
        description="Maximum bytes of history of a sim, approximately; less while Redis is nearly full. 1048576 to 1099511627776.",
    )
    worker_id: str = Field(
        default_factory=socket.gethostname,
        pattern=r"^[A-Za-z0-9._-]{1,64}$",
        description="Name of this worker in leases and logs: up to 64 letters, digits, . _ and -.",
    )
    sim_map: Annotated[MapFile | None, BeforeValidator(_map)] = Field(
        default=None,
        description="A map file for the sim if this worker creates it; python -m sector.world.maps makes and checks them.",
    )
    sim_config: Annotated[SimConfig, BeforeValidator(_config), AfterValidator(_on_its_map)] = Field(
        default=SimConfig(),
        validate_default=True,
        description='The config of the sim if this worker creates it, as JSON, such as {"systems": 100, "seed": 7}.',
    )
    health_port: Port = Field(default=8080, description="Port of /health, 1 to 65535.")

    @property
    def named(self) -> list[str]:
        """The sims that SIM_ID names, each once: this worker creates those that do not exist."""
        return [each for each in dict.fromkeys(self.sim_id.split(",")) if each != ALL]

    @property
    def serves_all(self) -> bool:
        """Whether it serves all sims."""
        return ALL in self.sim_id.split(",")
