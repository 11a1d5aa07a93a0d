"""The topology: which processes make a world on one machine, and the settings of each."""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sector.models import Puppet, SimConfig
from sector.standalone.ports import local_url
from sector.standalone.secret import load_secret
from sector.standalone.tokens import create_token
from sector.standalone.valkey import valkey_command, valkey_url

BOTS = ("Aurora", "Borealis")
PLAYER = "Me"
PUPPETS = (Puppet(faction="Crimson", temperament="raider"), Puppet(faction="Azure"))
# A person reads these logs.
_LOGS = {"LOG_FORMAT": os.environ.get("LOG_FORMAT") or "text"}
# The tokens of the bots are valid as long as the world is likely to run.
_BOT_HOURS = 24.0 * 365


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process: its command, its own settings, and the URL that reports whether it is ready.

    `port`: 0 for a process without a port.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    port: int
    ready_url: str | None


@dataclass(frozen=True, slots=True)
class Topology:
    """All processes. `redis` is None if an existing Redis is used. The services need Redis to be running."""

    redis: ProcessSpec | None
    redis_url: str
    services: tuple[ProcessSpec, ...]
    api_url: str
    public_api_url: str
    """The address of the API for browsers and people."""
    viz_url: str
    token: str
    """The token of the person who plays the faction Me."""

    @property
    def specs(self) -> tuple[ProcessSpec, ...]:
        return (*([self.redis] if self.redis else []), *self.services)


def build_topology(options: argparse.Namespace, redis: Path | str, directory: Path) -> Topology:
    """Return the topology for the options of the command line, with the data in `directory`.

    `redis`: the socket of a Valkey of our own, or the URL of a Redis. Raises OSError, SecretGivenError.
    """
    api_url, viz_url = local_url(options.host, options.port_base), local_url(options.host, options.port_base + 1000)
    public_api_url = options.api_url or api_url
    valkey, redis_url = None, str(redis)
    if isinstance(redis, Path):
        command = valkey_command(redis, directory, keep=options.data is not None)
        valkey, redis_url = ProcessSpec("valkey", command, {}, 0, None), valkey_url(redis)
    secret = load_secret(directory, replace=options.new_secret)
    sim = {"REDIS_URL": redis_url, "SIM_ID": "default"}
    services = (
        _worker(options, sim),
        _api(options, viz_url, secret, sim),
        _viz(options, public_api_url, sim),
        *_bots(options, api_url, secret),
    )
    token = create_token(secret, PLAYER, options.token_days * 24)
    return Topology(valkey, redis_url, services, api_url, public_api_url, viz_url, token)


def _worker(options: argparse.Namespace, sim: Mapping[str, str]) -> ProcessSpec:
    config = SimConfig(seed=options.seed, systems=options.systems, puppets=PUPPETS)
    port = options.port_base + 1
    settings = {
        **sim,
        "HEALTH_PORT": str(port),
        # The default sim, and those that are requested over the API.
        "SIM_ID": "default,*",
        "TICK_DELAY": str(options.tick_delay),
        "SIM_CONFIG": config.model_dump_json(),
        "WORKER_ID": "standalone",
    }
    return _service("worker", "sector.worker", port, settings)


def _api(options: argparse.Namespace, viz_url: str, secret: str, sim: Mapping[str, str]) -> ProcessSpec:
    # The page and the API have different ports, so they have different origins.
    origins = [viz_url, f"http://localhost:{options.port_base + 1000}", *options.cors_origin]
    cors_origins = "*" if "*" in options.cors_origin else ",".join(origins)
    settings = {"AUTH_SECRET": secret, "CORS_ORIGINS": cors_origins, **sim}
    return _server("api", options.host, options.port_base, settings)


def _viz(options: argparse.Namespace, public_api_url: str, sim: Mapping[str, str]) -> ProcessSpec:
    return _server("viz", options.host, options.port_base + 1000, {"API_URL": public_api_url, **sim})


def _bots(options: argparse.Namespace, api_url: str, secret: str) -> Iterator[ProcessSpec]:
    for port, faction in enumerate(BOTS, options.port_base + 2):
        settings = {
            "HEALTH_PORT": str(port),
            "API_URL": api_url,
            "BOT_FACTION": faction,
            "API_TOKEN": create_token(secret, faction, _BOT_HOURS),
        }
        yield _service(f"bot-{faction}", "sector.bot", port, settings)


def _server(name: str, host: str, port: int, settings: Mapping[str, str]) -> ProcessSpec:
    # Each server has one port in any environment, because only this machine reaches it.
    return _service(name, f"sector.{name}", port, {"PORT": str(port), "HOST": host, "OPERATOR_PORT": "0", **settings})


def _service(name: str, module: str, port: int, settings: Mapping[str, str]) -> ProcessSpec:
    environment = {"HOST": "127.0.0.1", **_LOGS, **settings}
    ready_url = f"{local_url(environment['HOST'], port)}/health/ready"
    return ProcessSpec(name, (sys.executable, "-m", module), environment, port, ready_url)
