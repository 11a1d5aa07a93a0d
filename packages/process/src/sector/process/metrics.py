"""Metrics: what a process counted, as Prometheus reads it. What is counted stands beside what counts it.

Several processes on one machine that share a port share their counts too, where PROMETHEUS_MULTIPROC_DIR names a folder: whichever of
them is asked answers for all. Source: the multiprocess mode of prometheus_client.
"""

import contextlib
import errno
import logging
import os
import struct
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, disable_created_metrics, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from sanic import Blueprint, HTTPResponse, Request, raw

from sector.models.regular_file import FileError, check_file
from sector.process.deferred_metrics import flush_metrics
from sector.process.health import HeadersOf
from sector.process.log_stream import print_error
from sector.process.metric_aliases import EarlierNames
from sector.process.problem_documents import problem
from sector.process.settings import EXIT_WRONG_SETTING
from sector.process.shared_values import install

SHARED = "PROMETHEUS_MULTIPROC_DIR"
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds of the buckets of durations, in seconds: what is fast here takes less than a millisecond."""
BYTES = tuple(4**power for power in range(4, 14))
"""Bounds of the buckets of sizes, in bytes: 256 to 64 MiB."""

_PART, _BURST_S = 0.1, 0.2
_MAX_FILE_BYTES = 256 * 2**20
_FULL = (errno.ENOSPC, errno.EDQUOT)
"""A disk that is full does not end a process: its values are not shared, which /health reports."""

type Sample = Callable[[], None]
"""Sets gauges to what is so now."""


log = logging.getLogger(__name__)

_DAMAGE = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    struct.error,
    ArithmeticError,
    MemoryError,
    RuntimeError,
)
"""What the library raises for files that are damaged, or that this process may not read."""
_damaged: set[str] = set()
"""Files of other processes that cannot be read: each is logged once."""


def _make_shared() -> None:
    # Metrics open their files when they are made, which is before settings are read.
    if folder := os.environ.get(SHARED):
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
            (Path(folder) / f".{os.getpid()}").touch()
            (Path(folder) / f".{os.getpid()}").unlink()
        except OSError as error:
            if error.errno in _FULL:
                return
            print_error(f"wrong setting {SHARED}={folder!r}: {error.strerror}. Allowed: a folder to write to")
            sys.exit(EXIT_WRONG_SETTING)
        _remove_damaged(Path(folder))


def _remove_damaged(folder: Path) -> None:
    """Remove files that another process of this id left damaged: in a container, every process may have the same."""
    for path in folder.glob(f"*_{os.getpid()}.db"):
        try:
            if _size_of(path):
                list(MmapedDict.read_all_values_from_file(path))  # type: ignore[no-untyped-call]  # the library has no types there
        except _DAMAGE:
            try:
                path.unlink()
            except OSError as error:
                print_error(
                    f"wrong setting {SHARED}={str(folder)!r}: {path.name}: {error.strerror}. Allowed: an empty folder"
                )
                sys.exit(EXIT_WRONG_SETTING)


def _size_of(path: Path) -> int:
    """Return the size of a file; 0 if there is none, since other processes remove those of the dead. Raises OSError, ValueError."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return 0
    # A pipe would never end.
    check_file(path)
    if size > _MAX_FILE_BYTES:
        raise FileError(path, "it is too large")
    return size


_make_shared()
install()
# When each was first counted: as many series again, and nobody asks.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no types there


def exposition() -> bytes:
    """Return the text of all metrics: of this process, or of all that share theirs."""
    flush_metrics()
    folder = os.environ.get(SHARED)
    if not folder:
        return generate_latest(EarlierNames(REGISTRY))
    _forget_the_dead(Path(folder))
    registry = CollectorRegistry()
    _Shared(registry, path=folder)  # type: ignore[no-untyped-call]  # the library has no types there
    return generate_latest(EarlierNames(registry))


class _Shared(MultiProcessCollector):
    """Reads the files of all processes, except those that a process has just made and not yet filled."""

    def collect(self) -> Iterable[Metric]:
        files = [str(path) for path in Path(self._path).glob("*.db") if self._is_filled(path)]
        try:
            return self._merge(files)
        except _DAMAGE:
            # The library trusts its files. One that is damaged must not hide all others.
            readable = [each for each in files if self._is_readable(each)]
            if len(readable) == len(files):
                raise
            return self._merge(readable)

    def _merge(self, files: Sequence[str]) -> Iterable[Metric]:
        merged: Iterable[Metric] = self.merge(files)  # type: ignore[no-untyped-call]  # the library has no types there
        return list(merged)

    def _is_readable(self, file: str) -> bool:
        try:
            self._merge([file])
        except _DAMAGE as error:
            _leave_out(file, error)
            return False
        _damaged.discard(file)
        return True

    def _is_filled(self, path: Path) -> bool:
        try:
            return _size_of(path) > 0
        except (OSError, FileError) as error:
            _leave_out(str(path), error)
            return False


def _leave_out(file: str, error: Exception) -> None:
    if file not in _damaged:
        _damaged.add(file)
        log.warning("metrics: %s cannot be read and is left out (%s)", file, type(error).__name__)


def _forget_the_dead(folder: Path) -> None:
    """Let gauges of processes that were killed no longer count; what they counted goes on counting."""
    for each in {path.stem.rpartition("_")[2] for path in folder.glob("gauge_live*.db")}:
        if each.isdecimal() and not Path(f"/proc/{each}").exists() and Path("/proc/self").exists():
            # Another process may do the same at this moment. What cannot be removed is left out as damaged.
            with contextlib.suppress(OSError):
                mark_process_dead(int(each), folder)  # type: ignore[no-untyped-call]  # the library has no types there


class Paced:
    """Makes a text when it is asked for, as long as that takes a tenth of the time at most, and 200 ms at once. Beyond that it returns
    the text of the last time: a flood of requests for metrics does not keep the event loop from other work. `clock`: seconds.
    """

    def __init__(self, make: Callable[[], bytes], clock: Callable[[], float] = time.monotonic) -> None:
        self._make = make
        self._clock = clock
        self._text: bytes | None = None
        self._owed_s = 0.0
        self._seen_s = clock()

    def text(self) -> bytes:
        """Return the text."""
        began_s = self._clock()
        self._owed_s = max(self._owed_s - (began_s - self._seen_s) * _PART, 0.0)
        self._seen_s = began_s
        if self._text is None or self._owed_s < _BURST_S:
            self._text = self._make()
            self._owed_s += self._clock() - began_s
        return self._text


def metrics_endpoint(headers_of: HeadersOf, samples: Sequence[Sample]) -> Blueprint:
    """Return `/metrics`. The samples are taken whenever the text is made."""
    routes = Blueprint("metrics")

    def make() -> bytes:
        for sample in samples:
            sample()
        return exposition()

    paced = Paced(make)
    logged: set[str] = set()

    @routes.get("/metrics")
    async def metrics(request: Request) -> HTTPResponse:
        try:
            return raw(paced.text(), content_type=CONTENT_TYPE_LATEST, headers=headers_of(request))
        except OSError as error:
            reason = f"a file of {SHARED} cannot be read: {error.strerror}"
            if reason not in logged:
                # Once, not at each request.
                logged.add(reason)
                log.error("%s: %s", reason, error.filename)  # noqa: TRY400  (the reason says all)
            return problem(500, f"{reason}; the log names it", headers_of(request))

    return routes
