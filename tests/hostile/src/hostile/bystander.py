"""A bystander: a player at another address who orders all the time and notes how long it takes.

It is a process of its own, so that the work of the attackers does not count as a delay of the world.
"""

import asyncio
import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx

from fixtures.processes import environment

_EVERY_S = 0.05
_ADDRESS = "127.0.0.9"
"""Of the loopback network: request limits count it apart from the attackers at 127.0.0.1."""
_NOTE = {"type": "note", "faction": "Crimson", "text": "still here"}


@dataclass(frozen=True, slots=True)
class Observed:
    """Seconds that each order took to be acknowledged, and what was answered instead of 202."""

    acknowledged_s: list[float]
    failures: list[str]


class Bystander:
    """Plays from the beginning to the end of the block. `token`: of a player of Crimson."""

    def __init__(self, api_url: str, token: str, folder: Path) -> None:
        self._arguments = [api_url, token]
        self._output = folder / "bystander.json"

    def __enter__(self) -> Self:
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "hostile.bystander", *self._arguments], stdout=output, env=environment()
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(timeout=60) == 0

    def observed(self) -> Observed:
        """Return what it saw, once the block is left."""
        return Observed(**json.loads(self._output.read_bytes()))


async def _play(api_url: str, token: str) -> Observed:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    observed = Observed([], [])
    transport = httpx.AsyncHTTPTransport(local_address=_ADDRESS)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, timeout=30, headers=headers) as client:
        while not stop.is_set():
            began_s = time.monotonic()
            try:
                response = await client.post(f"{api_url}/orders", json=_NOTE)
            except httpx.TransportError as error:
                observed.failures.append(type(error).__name__)
            else:
                if response.status_code == httpx.codes.ACCEPTED:
                    observed.acknowledged_s.append(time.monotonic() - began_s)
                else:
                    observed.failures.append(f"{response.status_code} {response.text[:200]}")
            await asyncio.sleep(_EVERY_S)
    return observed


if __name__ == "__main__":
    seen = asyncio.run(_play(*sys.argv[1:]))
    print(json.dumps({"acknowledged_s": seen.acknowledged_s, "failures": seen.failures}))
