"""A legitimate client: a player at another address that orders all the time, and a kubelet that probes every service, with latencies.

It is a process of its own, so that the work of the attackers does not count as a delay of the world.
"""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import httpx

from fixtures.processes import Service, environment

_EVERY_S = 0.05
ADDRESS = "127.0.0.9"
"""Of the loopback network: request limits count it apart from the attackers at 127.0.0.1."""
FORWARDED_FOR = "X-Forwarded-For"
_BEHIND_PROXY = "198.51.100.9"
_PROBE_EVERY_S = 0.1
_PROBE = b"GET /health/live HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n"
_LIVE = b"HTTP/1.1 200 "
_NOTE = {"type": "note", "faction": "Crimson", "text": "still here"}


@dataclass(frozen=True, slots=True)
class Observed:
    """Seconds that each order took to be acknowledged, and what was answered instead of 202.

    `live_s`: the same of each probe for liveness, by service, without the time that the service or this process waited for a
    processor: a pod has its own, and here the attackers and other tests take them.
    """

    acknowledged_s: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    live_s: dict[str, list[float]] = field(default_factory=dict)


class LegitimateClient:
    """Plays and probes from the beginning to the end of the block. `token`: of a player of Crimson. `probed`: services.

    `behind_proxy`: it plays through a proxy that the API trusts.
    """

    def __init__(
        self, api_url: str, token: str, probed: Iterable[Service], folder: Path, *, behind_proxy: bool = False
    ) -> None:
        address = _BEHIND_PROXY if behind_proxy else ""
        probes = (f"{each.name}={each.process.pid}={each.url}" for each in probed)
        self._arguments = [api_url, token, address, *probes]
        self._output = folder / "legitimate_client.json"

    def __enter__(self) -> Self:
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "hostile.legitimate_client", *self._arguments], stdout=output, env=environment()
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(timeout=60) == 0

    def observed(self) -> Observed:
        """Return what it saw, once the block is left."""
        return Observed(**json.loads(self._output.read_bytes()))


async def _play(api_url: str, token: str, forwarded_for: str, *probes: str) -> Observed:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    observed = Observed()
    probing = [asyncio.create_task(_probe(probe, observed, stop)) for probe in probes]
    headers = {"Authorization": f"Bearer {token}"} | ({FORWARDED_FOR: forwarded_for} if forwarded_for else {})
    await _order(f"{api_url}/orders", headers, observed, stop)
    await asyncio.gather(*probing)
    return observed


async def _order(url: str, headers: dict[str, str], observed: Observed, stop: asyncio.Event) -> None:
    transport = httpx.AsyncHTTPTransport(local_address=ADDRESS)
    async with httpx.AsyncClient(transport=transport, timeout=30, headers=headers) as client:
        while not stop.is_set():
            began_s = time.monotonic()
            try:
                response = await client.post(url, json=_NOTE)
            except httpx.TransportError as error:
                observed.failures.append(type(error).__name__)
            else:
                if response.status_code == httpx.codes.ACCEPTED:
                    observed.acknowledged_s.append(time.monotonic() - began_s)
                else:
                    observed.failures.append(f"{response.status_code} {response.text[:200]}")
            await asyncio.sleep(_EVERY_S)


async def _probe(probe: str, observed: Observed, stop: asyncio.Event) -> None:
    """Probe a service (`name=pid=URL`) as a kubelet does, over a new connection each time, until `stop`."""
    name, pid, url = probe.split("=", 2)
    live_s = observed.live_s.setdefault(name, [])
    parts = urlsplit(url)
    while not stop.is_set():
        began_s, before_s = time.monotonic(), _withheld_s(pid)
        try:
            async with asyncio.timeout(30):
                reader, writer = await asyncio.open_connection(parts.hostname, parts.port, local_addr=(ADDRESS, 0))
                writer.write(_PROBE)
                answer = await reader.read()
                writer.close()
        except OSError as error:
            observed.failures.append(f"{name} is not live: {type(error).__name__}")
        else:
            if answer.startswith(_LIVE):
                took_s = time.monotonic() - began_s
                # Both may have waited at the same time: the longer wait alone is deducted.
                withheld_s = max(after - before for before, after in zip(before_s, _withheld_s(pid), strict=True))
                live_s.append(max(took_s - withheld_s, 0.0))
            else:
                observed.failures.append(f"{name} is not live: {answer[:200]!r}")
        await asyncio.sleep(_PROBE_EVERY_S)


def _withheld_s(pid: str) -> list[float]:
    """Return how long this process, and the main thread of another, could run and had no processor so far."""
    return [int(Path(f"/proc/{each}/schedstat").read_text().split()[1]) / 1e9 for each in ("self", pid)]


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(_play(*sys.argv[1:])))))
