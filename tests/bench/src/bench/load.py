"""Load by wrk: requests per second, and their latency."""

import itertools
import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import NamedTuple

from bench.figure import MeasurementError

_RUNS = itertools.count()


class LoadResult(NamedTuple):
    """The result of a load: requests per second, and the median and 99th percentile of their latency, in seconds."""

    a_second: float
    median_s: float
    p99_s: float


class LoadError(MeasurementError):
    """A load with unexpected responses, or one that could not start."""


@dataclass(frozen=True, slots=True)
class Load:
    """One repeated request. With `keyed`, each has a new idempotency key."""

    path: str
    method: str = "GET"
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    keyed: bool = False
    connections: int = 64

    def put_on(self, url: str, cores: set[int], seconds: float, *, delay_s: float = 0.0) -> LoadResult:
        """Load a server for some seconds from `cores`. Connections pause `delay_s` on average. Raises LoadError."""
        program = shutil.which("wrk")
        if program is None:
            raise LoadError("the API is loaded by wrk: apt-get install wrk")
        settings = {
            "METHOD": self.method,
            "BODY": self.body,
            "HEADERS": "".join(f"{name}: {value}\r\n" for name, value in self.headers.items()),
            "KEYED": "1" if self.keyed else "0",
            "DELAY_MS": str(round(delay_s * 1000)),
            "REQUEST_PATH": self.path,
            "RUN": f"{secrets.token_hex(4)}-{next(_RUNS)}",
        }
        with resources.as_file(resources.files("bench").joinpath("load.lua")) as script:
            run = subprocess.run(
                [program, "-t1", f"-c{self.connections}", f"-d{max(1, round(seconds))}s", "-s", str(script), url],
                env={**os.environ, **settings},
                capture_output=True,
                text=True,
                check=False,
                preexec_fn=lambda: os.sched_setaffinity(0, cores),
            )
        line = next((line for line in run.stdout.splitlines() if line.startswith("RESULT ")), None)
        if line is None:
            raise LoadError(f"wrk failed: {run.stdout}{run.stderr}")
        requests, took_us, failed, median_us, p99_us = (int(word) for word in line.split()[1:])
        if failed or not requests:
            raise LoadError(f"{failed} of {requests} requests to {url}{self.path} were not answered as they must be")
        return LoadResult(requests / took_us * 1e6, median_us / 1e6, p99_us / 1e6)
