"""The plan: which processes make a world on one machine, and what each is told."""

import argparse
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sector.api.keyring import secret_key
from sector.api.token import make
from sector.models import Puppet, SimConfig
from sector.standalone.ports import local_url
from sector.standalone.secret import secret_in
from sector.standalone.valkey import valkey_command, valkey_url

BOTS = ("Aurora", "Borealis")
PLAYER = "Me"
# Who looks into them here is a person.
_LOGS = {"LOG_FORMAT": os.environ.get("LOG_FORMAT") or "text"}
# Of the bots, which nobody sees: they are to play as long as the world runs.
_BOT_HOURS = 24.0 * 365
PUPPETS = (Puppet(faction="Crimson", temperament="raider"), Puppet(faction="Azure"))


@dataclass(frozen=True, slots=True)
class Spec:
    """One process: its command, what it is told on top of our own environment, and where it says that it is ready.

    `port`: 0 where it has none.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    port: int
    ready_url: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """All processes. `redis` is None where a Redis is given; the others need it to be there."""

    redis: Spec | None
    redis_url: str
    services: tuple[Spec, ...]
    api_url: str
    public_api_url: str
    """Where browsers and people reach the API."""
    viz_url: str
    token: str
    """For whoever plays along, as the faction Me."""

    @property
    def specs(self) -> tuple[Spec, ...]:
        return (*([self.redis] if self.redis else []), *self.services)


def make_plan(options: argparse.Namespace, redis: Path | str, directory: Path) -> Plan:
    """Return the plan for the options of the command line; what is kept lies in `directory`.

    `redis`: the socket of a Valkey of our own, or the URL of a Redis. Raises OSError, SecretGivenError.
    """
    base, host = options.port_base, options.host
    valkey, redis_url = None, str(redis)
    if isinstance(redis, Path):
        command = valkey_command(redis, directory, keep=options.data is not None)
        valkey, redis_url = Spec("valkey", command, {}, 0, None), valkey_url(redis)
    api_url, viz_url = local_url(host, base), local_url(host, base + 1000)
    config = SimConfig(seed=options.seed, systems=options.systems, puppets=PUPPETS)
    of_sim = {"REDIS_URL": redis_url, "SIM_ID": "default"}
    secret = secret_in(directory, replace=options.new_secret)
    # The world itself, and those that are asked for over the API.
    worker = {
        "SIM_ID": "default,*",
        "TICK_DELAY": str(options.tick_delay),
        "SIM_CONFIG": config.model_dump_json(),
        "WORKER_ID": "standalone",
    }
    # The page is at another port than the API, so its origin is another one.
    origins = (
        ["*"] if "*" in options.cors_origin else [viz_url, f"http://localhost:{base + 1000}", *options.cors_origin]
    )
    page = {"CORS_ORIGINS": ",".join(origins)}
    # One port each, whatever the environment says: all of them are this machine's.
    one_port = {"HOST": host, "OPERATOR_PORT": "0"}
    services = [
        _service("worker", "sector.worker", base + 1, {"HEALTH_PORT": str(base + 1), **of_sim, **worker}),
        _service("api", "sector.api", base, {"PORT": str(base), **one_port, "AUTH_SECRET": secret, **page, **of_sim}),
        _service(
            "viz",
            "sector.viz",
            base + 1000,
            {"PORT": str(base + 1000), **one_port, "API_URL": options.api_url or api_url, **of_sim},
        ),
    ]
    for number, faction in enumerate(BOTS):
        port = base + 2 + number
        told = {
            "HEALTH_PORT": str(port),
            "API_URL": api_url,
            "BOT_FACTION": faction,
            "API_TOKEN": _token(secret, faction, _BOT_HOURS),
        }
        services.append(_service(f"bot-{faction}", "sector.bot", port, told))
    public_api_url = options.api_url or api_url
    token = _token(secret, PLAYER, options.token_days * 24)
    return Plan(valkey, redis_url, tuple(services), api_url, public_api_url, viz_url, token)


def _token(secret: str, faction: str, hours: float) -> str:
    return make(
        secret_key(secret), os.environ.get("AUTH_AUDIENCE", "").strip() or "sector", faction, [faction], hours=hours
    )


def _service(name: str, module: str, port: int, told: Mapping[str, str]) -> Spec:
    environment = {"HOST": "127.0.0.1", **_LOGS, **told}
    ready_url = f"{local_url(environment['HOST'], port)}/health/ready"
    return Spec(name, (sys.executable, "-m", module), environment, port, ready_url)
