"""Tokens of a standalone world: for the bots, and for the person at the screen."""

import os

from sector.api.keyring import secret_key
from sector.api.token import sign_token


def create_token(secret: str, faction: str, hours: float) -> str:
    """Return a token that may play `faction`, valid for `hours`."""
    audience = os.environ.get("AUTH_AUDIENCE", "").strip() or "sector"
    return sign_token(secret_key(secret), audience, faction, [faction], hours=hours)
