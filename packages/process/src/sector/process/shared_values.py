"""Values of metrics in files that several processes share, even if the disk is full.

Metrics are defined when modules are imported. Their values stay in this process until it calls `open_shared_files`.

prometheus_client writes to files through memory (mmap). If the disk has no free page for a write, the system kills the
process with SIGBUS. So this module allocates space before each write. A value without space stays in this process,
which counts it without sharing it.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import prometheus_client.multiprocess
import prometheus_client.values
from prometheus_client.mmap_dict import MmapedDict

from sector.models.regular_file import FileError, stable_path

MAX_FILE_BYTES = 256 * 2**20
_FIRST_BYTES = 2**16
_PADDING_BYTES = 64
"""A bound for the length, the padding and the numbers of a value, without its key."""

_shortages: list[OSError] = []


def shortage() -> OSError | None:
    """Return why some values of this process are not shared, or None if all are."""
    return _shortages[-1] if _shortages else None


class SharedValues(MmapedDict):
    """A file of values, which replaces the class of the library."""

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        self._filename = filename
        self._private: dict[str, tuple[float, float]] = {}
        self._offsets: dict[str, float] = {}
        """The values of an earlier process with the same id."""
        self._capacity = self._used = 0
        self._positions: dict[str, int] = {}
        self._is_open = False
        if read_mode or _files.are_open:
            self.open(read_mode=read_mode)
        else:
            _files.unopened.append(self)

    def open(self, *, read_mode: bool = False) -> None:
        """Open the file, and move the values of this process to it."""
        self._is_open = True
        values, self._private = self._private, {}
        try:
            if not read_mode:
                _allocate_file(self._filename)
            super().__init__(self._filename, read_mode)  # type: ignore[no-untyped-call]  # the library has no types there
        except OSError as error:
            _set_shortage(error)
            # Without space, all values are private.
            self._capacity = self._used = 0
        is_gauge = Path(self._filename).name.startswith("gauge")
        for key, (value, timestamp) in values.items():
            stored, _ = self.read_value(key)
            if stored and not is_gauge:
                self._offsets[key] = stored
            self.write_value(key, value, timestamp)

    @staticmethod
    def read_all_values_from_file(filename: str) -> Iterator[tuple[str, float, float, int]]:
        """Return the values in a file of a process, as the library does. A pipe in its place is not waited for.

        Raises OSError, FileError, and what the library raises for a damaged file.
        """
        try:
            with stable_path(filename, MAX_FILE_BYTES) as opened:
                values: Iterator[tuple[str, float, float, int]] = MmapedDict.read_all_values_from_file(opened)  # type: ignore[no-untyped-call]  # likewise
                return values
        except FileError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                # The library knows that files are removed meanwhile.
                raise error.__cause__ from None
            raise

    def read_value(self, key: str) -> tuple[float, float]:
        """Return a value and its time. Both are 0 for a new value."""
        if key not in self._private and key not in self._positions:
            self._init_value(key)
        if key in self._private:
            return self._private[key]
        value: tuple[float, float] = super().read_value(key)  # type: ignore[no-untyped-call]  # likewise
        return value

    def write_value(self, key: str, value: float, timestamp: float) -> None:
        """Set a value and its time."""
        if key not in self._private and key not in self._positions:
            self._init_value(key)
        if key in self._private:
            self._private[key] = (value, timestamp)
        else:
            if self._offsets:
                value += self._offsets.get(key, 0.0)
            super().write_value(key, value, timestamp)  # type: ignore[no-untyped-call]  # likewise

    def close(self) -> None:
        """Close the file."""
        if self in _files.unopened:
            _files.unopened.remove(self)
        if self._capacity:
            super().close()  # type: ignore[no-untyped-call]  # likewise

    def _init_value(self, key: str) -> None:
        if not self._is_open:
            self._private[key] = (0.0, 0.0)
            return
        try:
            self._allocate(self._used + len(key.encode()) + _PADDING_BYTES)
        except OSError as error:
            _set_shortage(error)
            self._private[key] = (0.0, 0.0)
        else:
            super()._init_value(key)  # type: ignore[no-untyped-call]  # likewise

    def _allocate(self, needed_bytes: int) -> None:
        """Extend the file by at least `needed_bytes`. Raises OSError."""
        if not self._capacity:
            raise _shortages[-1]
        capacity = self._capacity
        while needed_bytes > capacity:
            capacity *= 2
        if capacity > self._capacity:
            # The library also doubles the size.
            os.posix_fallocate(self._f.fileno(), 0, capacity)


@dataclass(slots=True)
class _Files:
    """Whether the files are open, and the files that will be opened."""

    are_open: bool = False
    unopened: list[SharedValues] = field(default_factory=list)


_files = _Files()


def open_shared_files() -> None:
    """Open the files of all metrics, so that other processes see the values of this one. The folder must exist."""
    _files.are_open = True
    unopened, _files.unopened = _files.unopened, []
    for file in unopened:
        file.open()


def _allocate_file(filename: str) -> None:
    descriptor = os.open(filename, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        os.posix_fallocate(descriptor, 0, os.fstat(descriptor).st_size or _FIRST_BYTES)
    finally:
        os.close(descriptor)


def _set_shortage(error: OSError) -> None:
    if error not in _shortages:
        _shortages[:] = [error]


def install() -> None:
    """Let the library use this class for metrics that are defined from now on."""
    prometheus_client.multiprocess.MmapedDict = SharedValues  # type: ignore[attr-defined]  # where the library looks for it
    prometheus_client.values.MmapedDict = SharedValues  # type: ignore[attr-defined]  # where the library looks for it
