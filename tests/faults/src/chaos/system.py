"""The system under test: Redis, workers and APIs. With a single Redis server, each process connects through its own proxy."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from redis.exceptions import RedisError

from fixtures.faulty_proxy import FaultyProxy
from fixtures.processes import Processes, Service, free_port
from fixtures.topologies import OneNode, SentinelTrio, SixNodes, Topology, running_topology
from sector.models import SimConfig
from sector.state.redis.client import Client, connect
from sector.state.sims import lifecycle
from sector.state.tick import lease
from sector.world import SectorWorld

TOPOLOGIES: Mapping[str, type[Topology]] = {"one": OneNode, "sentinel": SentinelTrio, "cluster": SixNodes}
DURABILITY = {"one": "aof", "sentinel": "replica", "cluster": "replica"}
SIMS = ("alpha", "beta")
FACTIONS = ("Me", "You")
TICK_S, LEASE_S = 0.1, 1.0
_WORKERS = 3
# All history is stored, because the checker reads it from the first tick on. Puppets would win and end the sim.
CONFIG = SimConfig(seed=3, systems=24, homes=4, players=FACTIONS, puppets=(), keyframes_kept=10_000)


class ServiceProcess:
    """A process that faults may end, and that is restarted. `busy`: a fault is being injected into it."""

    def __init__(
        self, processes: Processes, name: str, proxy: FaultyProxy | None, module: str, **settings: str
    ) -> None:
        self._processes = processes
        self._module = module
        self._settings = settings
        self.name = name
        self.proxy = proxy
        self.busy = False
        self.service: Service | None = None

    @property
    def kind(self) -> str:
        """`worker` or `api`."""
        return self.name.partition("-")[0]

    async def start(self) -> None:
        """Start the process; return when it answers."""
        start = self._processes.start
        service = await asyncio.to_thread(start, self.kind, wait=False, module=self._module, **self._settings)
        await asyncio.to_thread(service.wait_for, lambda _: True, "answering")
        self.service = service

    async def until_ready(self) -> str:
        """Wait until the process is ready; return its error if it does not become ready."""
        assert self.service is not None
        try:
            await asyncio.to_thread(self.service.wait_until, ready=True)
        except AssertionError as unready:
            return str(unready)
        return ""

    async def end(self, how: signal.Signals) -> int:
        """Send a signal to the process; return its exit code when it has ended."""
        assert self.service is not None
        service, self.service = self.service, None
        return await asyncio.to_thread(service.end, how)

    def send(self, which: signal.Signals) -> None:
        """Send a signal to the process that does not end it."""
        assert self.service is not None
        self.service.process.send_signal(which)

    @property
    def died(self) -> int | None:
        """The exit code of a process that ended unexpectedly."""
        return None if self.service is None else self.service.process.poll()


class SystemUnderTest:
    """The processes of a run. `redis` is the client of the test, which only faults of Redis itself affect."""

    def __init__(self, servers: Topology, redis: Client, processes: Processes, lease_s: float) -> None:
        self.processes = processes
        self.servers = servers
        self.redis = redis
        self.lease_s = lease_s
        self.services: list[ServiceProcess] = []
        self.redis_busy = asyncio.Lock()

    def free(self, kind: str) -> list[ServiceProcess]:
        """Return the running processes of a kind into which no fault is being injected."""
        return [process for process in self.services if process.kind == kind and process.service and not process.busy]

    def api_of(self, sim_id: str) -> str | None:
        """Return the URL of the API of a sim; None while it does not run."""
        process = next(process for process in self.services if process.name == f"api-{sim_id}")
        return None if process.service is None else process.service.url

    async def held_by(self, process: ServiceProcess) -> list[str]:
        """Return the sims whose lease a process holds; none while Redis is unreachable."""
        try:
            holders = await lease.holders(self.redis, SIMS)
        except (RedisError, OSError):
            return []
        return [sim for sim, holder in zip(SIMS, holders, strict=True) if (holder or "").split(":")[0] == process.name]


@asynccontextmanager
async def start_system(
    kind: str,
    directory: Path,
    *,
    tick_s: float = TICK_S,
    lease_s: float = LEASE_S,
    config: SimConfig = CONFIG,
    sabotage: str = "",
) -> AsyncIterator[SystemUnderTest]:
    """Start Redis, create the sims, start workers and APIs; end all of them at the end. `sabotage`: see that module."""
    with contextlib.ExitStack() as servers_end:
        servers = await asyncio.to_thread(servers_end.enter_context, running_topology(TOPOLOGIES[kind], directory))
        redis = connect(servers.url)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(redis.aclose)
            system = SystemUnderTest(servers, redis, Processes(directory), lease_s)
            for sim_id in SIMS:
                await lifecycle.create(redis, sim_id, SectorWorld(), config)
            stack.callback(system.processes.end_all)
            settings = {"SIM_ID": "*", "TICK_DELAY": str(tick_s), "LEASE_TTL_MS": str(round(lease_s * 1000))}
            module = "chaos.sabotage" if sabotage else "sector.worker"
            for number in range(_WORKERS):
                name = f"worker-{number}"
                await add(stack, system, name, module, WORKER_ID=name, SABOTAGE=sabotage, **settings)
            for sim_id in SIMS:
                durable = {"ORDER_DURABILITY": DURABILITY[kind]}
                await add(stack, system, f"api-{sim_id}", "sector.api", SIM_ID=sim_id, PORT=str(free_port()), **durable)
            await asyncio.gather(*(process.start() for process in system.services))
            for process in system.services:
                unready = await process.until_ready()
                assert not unready, unready
            yield system


async def add(stack: AsyncExitStack, system: SystemUnderTest, name: str, module: str, **settings: str) -> None:
    """Add a process to the system, without starting it. `stack` closes its proxy."""
    url, proxy = system.servers.url, None
    if isinstance(system.servers, OneNode):
        proxy = await stack.enter_async_context(FaultyProxy(url))
        url = proxy.url
    system.services.append(ServiceProcess(system.processes, name, proxy, module, REDIS_URL=url, **settings))
