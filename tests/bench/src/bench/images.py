"""The size of the images that `./pants package ::` built, and the time until a container answers."""

import http.client
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

from bench.figure import Figure
from bench.timing import ratios

_PORTS = {"api": 8000, "worker": 8080, "viz": 9000, "bot": 8080}
_HARDENED = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--detach", "--rm")
# The same Python in the same container, with a minimal server.
_BASELINE = ("/app/bin/python", "-IS", "-m", "http.server", "--directory", "/usr/share")
_WITHIN_S = 30.0


class EngineError(Exception):
    """Docker failed."""


def figures(rounds: int) -> Iterator[Figure]:
    """Measure the images in turn with the baseline. Without an engine or the images, report that and yield nothing."""
    try:
        base = _layers("api")
        for service in _PORTS:
            yield from _of(service, base, rounds)
    except (EngineError, OSError) as error:
        print(f"images: nothing is measured: {error}", file=sys.stderr)


def _of(service: str, base: int, rounds: int) -> Iterator[Figure]:
    size, below = int(_docker("image", "inspect", "--format={{.Size}}", f"sector-{service}")), base
    what = f"images: sector-{service}, unpacked"
    yield Figure(what, f"{size / 1e6:.0f} MB", f"{below / 1e6:.0f} MB, its base", *[size / below] * 3)
    port = _PORTS[service]
    ours_s, theirs_s = [], []
    for _ in range(rounds):
        ours_s.append(_start_s(service, port, (), "/health/live"))
        theirs_s.append(_start_s(service, port, (*_BASELINE, str(port)), "/"))
    medians = [f"{statistics.median(each) * 1000:.0f} ms" for each in (ours_s, theirs_s)]
    what = f"images: sector-{service}, from `docker run` to the first 200"
    yield Figure(what, medians[0], f"{medians[1]}, Python's http.server", *ratios(ours_s, theirs_s))


def _layers(service: str) -> int:
    """Return the size of the base of an image in bytes: all layers below those that docker/Dockerfile copies."""
    sizes = _docker("history", "--human=false", "--format={{.Size}}\t{{.CreatedBy}}", f"sector-{service}").splitlines()
    copied = [int(line.split("\t")[0]) for line in sizes if "COPY" in line]
    return int(_docker("image", "inspect", "--format={{.Size}}", f"sector-{service}")) - sum(copied[:2])


def _start_s(service: str, port: int, command: tuple[str, ...], path: str) -> float:
    entry = [f"--entrypoint={command[0]}"] if command else []
    began_s = time.monotonic()
    id_ = _docker("run", *_HARDENED, f"--publish=127.0.0.1::{port}", *entry, f"sector-{service}", *command[1:])
    try:
        published = int(_docker("port", id_, str(port)).splitlines()[0].rpartition(":")[2])
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", published, timeout=2)
            try:
                connection.request("GET", path)
                if connection.getresponse().status == http.client.OK:
                    return time.monotonic() - began_s
            except OSError:
                if time.monotonic() > began_s + _WITHIN_S:
                    raise
            finally:
                connection.close()
            time.sleep(0.002)
    finally:
        _docker("rm", "--force", id_)


def _docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise EngineError(done.stderr.strip())
    return done.stdout.strip()
