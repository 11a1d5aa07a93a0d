"""Settings of the viz."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from sector.models.urls import parse_http_url
from sector.process import OperatorPort, Port, SimIdSetting, TracedSettings
from sector.process.renamed_settings import EarlierName
from sector.state.redis.url import RedisUrl

_PATH = re.compile(r"(/[\w.~-]+)+/?|/", re.ASCII)


def _api_url(text: str) -> str:
    """Return a URL in canonical form, or a path on the host of the page. Raises ValueError."""
    if not text.startswith("/"):
        return str(parse_http_url(text)) if text else ""
    if not _PATH.fullmatch(text):
        raise ValueError("it must be a path of letters, digits and . _ ~ -")
    return text


class VizSettings(TracedSettings):
    """Settings of the viz."""

    redis_url: RedisUrl
    sim_id: SimIdSetting
    port: Port = Field(default=9000, description="Port to listen on, 1 to 65535.")
    operator_port: OperatorPort
    api_url: Annotated[str, AfterValidator(_api_url)] = Field(
        default="",
        description="URL of the API for browsers, to play from the page: https://api.example.org, or /api on this host."
        " An API on another host needs the page's origin in its CORS_ORIGINS. Empty: watch only.",
    )
    max_spectators: Annotated[int, EarlierName("MOST_SPECTATORS")] = Field(
        default=10_000, ge=1, le=1_000_000, description="Maximum number of connected spectators, 1 to 1000000."
    )
    max_spectators_per_address: int = Field(
        default=500,
        ge=0,
        le=1_000_000,
        description="Maximum number of connected spectators per address, or per IPv6 network (IPV6_PREFIX). 0: no limit; to 1000000.",
    )
    requests_per_address: int = Field(
        default=2000,
        ge=0,
        le=1_000_000,
        description="Requests per second from one address, with a burst of ten seconds, across all viz. Reads of history count as several."
        " 0: no limit; to 1000000.",
    )
    polling: bool = Field(
        default=False,
        description="Whether spectators may use HTTP long-polling if a WebSocket cannot be opened. true or false.",
    )
    proxies: int = Field(
        default=0,
        ge=0,
        le=10,
        description="Number of trusted proxies in front of this viz, 0 to 10: client addresses are read from X-Forwarded-For.",
    )
    max_backlog: Annotated[int, EarlierName("MOST_BEHIND")] = Field(
        default=64,
        ge=4,
        le=10_000,
        description="Maximum number of messages in the send queue of a spectator, 4 to 10000. A slower spectator is disconnected. It"
        " receives a fresh snapshot when it reconnects.",
    )
