"""A viz over the sim of a test, and spectators of it."""

from collections.abc import AsyncIterator
from itertools import cycle

import pytest
from spectator import Spectate, Spectator

from fixtures.processes import Processes, Service
from fixtures.sim import Sim

TRANSPORTS = {"websocket": ("websocket",), "polling": ("polling",), "both": ("websocket", "polling")}


@pytest.fixture(params=list(TRANSPORTS.values()), ids=list(TRANSPORTS))
def transports(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """How spectators of this test connect: each test with spectators runs with WebSocket, with polling, and with both in one room."""
    names: tuple[str, ...] = request.param
    return names


@pytest.fixture
def polling(transports: tuple[str, ...]) -> str:
    """The setting POLLING of a viz for these transports."""
    return str("polling" in transports).lower()


@pytest.fixture
def viz(sim: Sim, redis_url: str, processes: Processes, polling: str) -> Service:
    """A viz of the sim whose ticks the test makes."""
    assert sim.lease.epoch == 1
    return processes.start("viz", REDIS_URL=redis_url, POLLING=polling)


@pytest.fixture
async def spectate(transports: tuple[str, ...]) -> AsyncIterator[Spectate]:
    """Connects a spectator to a viz.

    With both transports, one of the other transport goes along, and must hear the same. `alone`: without it; the transports take turns.
    """
    connected: list[Spectator] = []
    turns = cycle(transports)

    async def connect_by(viz: Service, transport: str, headers: dict[str, str]) -> Spectator:
        spectator = Spectator()
        await spectator.client.connect(viz.url, headers=headers, socketio_path="ws", transports=[transport])
        connected.append(spectator)
        return spectator

    async def connect(viz: Service, *, alone: bool = False, headers: dict[str, str] | None = None) -> Spectator:
        spectator = await connect_by(viz, next(turns), headers or {})
        if not alone and len(transports) > 1:
            spectator.companion = await connect_by(viz, next(turns), headers or {})
            next(turns)
        return spectator

    yield connect
    # Before the viz ends: it waits some seconds for polls under way.
    for spectator in connected:
        await spectator.leave()
