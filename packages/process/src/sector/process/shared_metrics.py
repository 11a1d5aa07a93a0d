"""Metrics of several processes: the folder that they share, and the collector that reads the files of all processes.

Processes on one machine that share a port also share their metrics, if PROMETHEUS_MULTIPROC_DIR names a folder. Each of
them exports the metrics of all. Source: the multiprocess mode of prometheus_client.
"""

import contextlib
import errno
import logging
import os
import struct
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from sector.models.regular_file import FileError, check_file
from sector.process.log_stream import print_error
from sector.process.settings import EXIT_WRONG_SETTING
from sector.process.shared_values import MAX_FILE_BYTES, SharedValues, open_shared_files

SHARED = "PROMETHEUS_MULTIPROC_DIR"
_FULL = (errno.ENOSPC, errno.EDQUOT)
"""Errors of a full disk do not end a process. Its values are not shared, and `/health` reports that."""

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
"""Errors that the library raises for damaged files, and for files that this process must not read."""
_damaged: set[str] = set()
"""Files of other processes that cannot be read. Each is logged once."""


def share_metrics() -> None:
    """Share the metrics of this process, if PROMETHEUS_MULTIPROC_DIR names a folder.

    Exits with 2 if the folder cannot be used.
    """
    folder = os.environ.get(SHARED)
    if not folder:
        return
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f".{os.getpid()}").touch()
        (Path(folder) / f".{os.getpid()}").unlink()
    except OSError as error:
        if error.errno not in _FULL:
            print_error(f"wrong setting {SHARED}={folder!r}: {error.strerror}. Allowed: a folder to write to")
            sys.exit(EXIT_WRONG_SETTING)
    else:
        _remove_damaged(Path(folder))
    open_shared_files()


def _remove_damaged(folder: Path) -> None:
    """Remove damaged files of an earlier process with the same id. In a container, every process may have the same id."""
    for path in folder.glob(f"*_{os.getpid()}.db"):
        try:
            if _size_of(path):
                list(SharedValues.read_all_values_from_file(str(path)))
        except _DAMAGE:
            try:
                path.unlink()
            except OSError as error:
                print_error(
                    f"wrong setting {SHARED}={str(folder)!r}: {path.name}: {error.strerror}. Allowed: an empty folder"
                )
                sys.exit(EXIT_WRONG_SETTING)


def _size_of(path: Path) -> int:
    """Return the size of a file, or 0 if another process removed it in the meantime. Raises OSError or ValueError."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return 0
    # A read of a pipe would never end.
    check_file(path)
    if size > MAX_FILE_BYTES:
        raise FileError(path, "it is too large")
    return size


class SharedMetricsCollector(MultiProcessCollector):
    """Reads the metrics files of all processes, except files that are still empty."""

    def collect(self) -> Iterable[Metric]:
        files = [str(path) for path in Path(self._path).glob("*.db") if self._is_filled(path)]
        try:
            return self._merge(files)
        except _DAMAGE:
            # The library does not validate files. A damaged file must not hide all others.
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
            _skip(file, error)
            return False
        _damaged.discard(file)
        return True

    def _is_filled(self, path: Path) -> bool:
        try:
            return _size_of(path) > 0
        except (OSError, FileError) as error:
            _skip(str(path), error)
            return False


def _skip(file: str, error: Exception) -> None:
    if file not in _damaged:
        _damaged.add(file)
        log.warning("unreadable metrics file skipped", extra={"file": file, "error": type(error).__name__})


def remove_dead_processes(folder: Path) -> None:
    """Remove the gauges of processes that were killed. Their counters still count."""
    for each in {path.stem.rpartition("_")[2] for path in folder.glob("gauge_live*.db")}:
        if each.isdecimal() and not Path(f"/proc/{each}").exists() and Path("/proc/self").exists():
            # Another process may do the same at this moment. Files that cannot be removed are skipped as damaged.
            with contextlib.suppress(OSError):
                mark_process_dead(int(each), folder)  # type: ignore[no-untyped-call]  # the library has no types there
