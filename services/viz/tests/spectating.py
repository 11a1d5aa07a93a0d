"""A viz over the sim of a test, and spectators of it."""

from collections.abc import AsyncIterator

import pytest
from spectator import Spectate, Spectator

from fixtures.processes import Processes, Service
from fixtures.sim import Sim


@pytest.fixture
def viz(sim: Sim, redis_url: str, processes: Processes) -> Service:
    """A viz of the sim whose ticks the test makes."""
    assert sim.lease.epoch == 1
    return processes.start("viz", REDIS_URL=redis_url)


@pytest.fixture
def polled_viz(sim: Sim, redis_url: str, processes: Processes) -> Service:
    """A viz of the same that can be polled, too."""
    assert sim.lease.epoch == 1
    return processes.start("viz", REDIS_URL=redis_url, POLLING="true")


@pytest.fixture
async def spectate(processes: Processes) -> AsyncIterator[Spectate]:
    """Connects a spectator to a viz."""
    connected: list[Spectator] = []

    async def connect(viz: Service, transport: str = "websocket") -> Spectator:
        spectator = Spectator()
        await spectator.client.connect(viz.url, socketio_path="ws", transports=[transport])
        connected.append(spectator)
        return spectator

    yield connect
    # Else who polls would wait for the answer under way.
    processes.end_all()
    for spectator in connected:
        await spectator.client.disconnect()
