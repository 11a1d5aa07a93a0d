"""An attempt: something that a hostile client does, and what must be answered."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from fixtures.processes import Service
from fixtures.tokens import SECRET, create_token
from fixtures.users import as_user
from sector.state.redis.client import Client


@dataclass(frozen=True, slots=True)
class TargetWorld:
    """A running world. `folder`: for files of the attempts. `redis` may do all."""

    api: Service
    viz: Service
    worker: Service
    redis_url: str
    redis: Client
    folder: Path
    sim_id: str = "default"

    def user_url(self, name: str) -> str:
        """Return the address of Redis for one of the users in users.acl."""
        return as_user(self.redis_url, name)

    @staticmethod
    def token(*factions: str, **claims: object) -> str:
        """Return a valid token with these claims."""
        return create_token(*factions, secret=SECRET, **claims)


type Act = Callable[[TargetWorld], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Attempt:
    """`act` does it for some seconds, and asserts what is answered. `stored_bytes`: how much larger Redis may be afterwards.

    `behind_proxy`: the API of the target trusts a proxy, through which the legitimate client plays too.
    """

    name: str
    act: Act
    stored_bytes: int = 4 * 2**20
    behind_proxy: bool = False
