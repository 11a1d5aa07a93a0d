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
    """The transports of the spectators of this test: WebSocket, polling, or both in one room."""
    names: tuple[str, ...] = request.param
    return names


@pytest.fixture
def polling(transports: tuple[str, ...]) -> str:
    """The setting POLLING of a viz for these transports."""
    return str("polling" in transports).lower()


@pytest.fixture
def viz(sim: Sim, redis_url: str, processes: Processes, polling: str) -> Service:
    """A viz of the sim that the test ticks."""
    assert sim.lease.epoch == 1
    return processes.start("viz", REDIS_URL=redis_url, POLLING=polling)


@pytest.fixture
async def spectate(transports: tuple[str, ...]) -> AsyncIterator[Spectate]:
    """Connects a spectator to a viz.

    With both transports, a companion with the other transport must receive the same messages. `alone` starts none: transports alternate.
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
    # Disconnect before the viz ends: it waits some seconds for running polls.
    for spectator in connected:
        await spectator.leave()
