"""Races under the control of a test: a rival client acts between two commands of the code under test."""

from collections.abc import Awaitable, Callable

import pytest

from sector.state.redis.command_encoding import Command, EncodedCommand
from sector.state.redis.connection import Connection
from sector.state.redis.replies import Reply


def run_before_command(monkeypatch: pytest.MonkeyPatch, name: str, rival: Callable[[], Awaitable[None]]) -> None:
    """Run `rival` once, before any connection sends commands of which the first has this name."""
    pipeline = Connection.pipeline

    async def pipeline_after_rival(connection: Connection, *commands: Command | EncodedCommand) -> list[Reply]:
        if commands[0][0] == name:
            monkeypatch.setattr(Connection, "pipeline", pipeline)
            await rival()
        return await pipeline(connection, *commands)

    monkeypatch.setattr(Connection, "pipeline", pipeline_after_rival)
