"""Settings of the bot."""

from pydantic import Field

from sector.models.field_types import SIM_ID
from sector.models.urls import parse_http_url
from sector.process import HttpUrlSetting, Port, Settings, TokenSetting


class BotSettings(Settings):
    """Settings of the bot."""

    api_url: HttpUrlSetting = Field(
        default=parse_http_url("http://api:8000"),
        description="URL of the API: http:// or https://, such as http://127.0.0.1:8000, without user, query and fragment.",
    )
    api_token: TokenSetting = Field(
        default=None,
        description="Token for the faction, if the API requires one: sector-api token --faction creates it. ASCII characters"
        " without spaces.",
    )
    bot_sim: str = Field(
        default="", pattern=f"^({SIM_ID})?$", description="Id of the sim to play in. Empty: the API's own sim."
    )
    bot_faction: str = Field(
        default="BotFaction",
        pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,31}$",
        description="Faction to play: a letter, then letters, digits, _ and -, up to 32 characters.",
    )
    bot_poll_interval: float = Field(
        default=1.0, ge=0.05, le=3600, description="Seconds between two reads of the state, 0.05 to 3600."
    )
    bot_max_orders: int = Field(default=3, ge=1, le=1000, description="Maximum number of orders per read, 1 to 1000.")
    health_port: Port = Field(default=8080, description="Port of /health, 1 to 65535.")
