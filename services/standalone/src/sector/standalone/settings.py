"""The environment variables that standalone reads before it starts other processes. These inherit all variables."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from sector.api.settings import Audience, AuthSecret
from sector.process import TracedSettings
from sector.state.redis.url import RedisAddress, parse_setting


class StandaloneSettings(TracedSettings):
    """Settings of standalone in the environment. All others are options of the command line."""

    redis_url: Annotated[RedisAddress | None, BeforeValidator(parse_setting)] = Field(
        default=None,
        repr=False,
        description="A Redis to use instead of the embedded Valkey: redis://user:password@host:6379/0, rediss:// (TLS),"
        " unix:///path?db=0, redis+sentinel:// or redis+cluster://.",
    )
    auth_secret: AuthSecret
    auth_audience: Audience

    @property
    def redis(self) -> str | None:
        """The URL of the Redis to use; None for the embedded Valkey."""
        return None if self.redis_url is None else self.redis_url.text
