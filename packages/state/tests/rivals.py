"""Races that a test decides: what another client does between two commands of the code under test."""

from collections.abc import Awaitable, Callable

import pytest

from sector.state.redis.connection import Command, Link, Packed
from sector.state.redis.replies import Reply


def before_the_next(monkeypatch: pytest.MonkeyPatch, name: str, rival: Callable[[], Awaitable[None]]) -> None:
    """Run `rival` once, before any link sends commands of which the first is `name`."""
    exchange = Link.exchange

    async def exchange_after_rival(link: Link, *commands: Command | Packed) -> list[Reply]:
        if commands[0][0] == name:
            monkeypatch.setattr(Link, "exchange", exchange)
            await rival()
        return await exchange(link, *commands)

    monkeypatch.setattr(Link, "exchange", exchange_after_rival)
