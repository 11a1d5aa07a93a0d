"""Access to files that operators name: regular files of a limited size.

A pipe could block the process, and a device could fill its memory.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_KINDS = (
    (stat.S_ISDIR, "Is a directory"),
    (stat.S_ISFIFO, "it is a named pipe, not a regular file"),
    (stat.S_ISSOCK, "it is a socket, not a regular file"),
    (stat.S_ISCHR, "it is a device, not a regular file"),
    (stat.S_ISBLK, "it is a device, not a regular file"),
)
_OTHER = "it is not a regular file"


class FileError(ValueError):
    """A file that cannot be used. `path`: its path. `reason`: what is wrong with it."""

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = Path(path)
        self.reason = reason


@contextmanager
def open_file(path: Path | str) -> Iterator[BinaryIO]:
    """Open a regular file for reading, as a context manager. Other kinds of files are closed at once. Raises FileError."""
    with os.fdopen(_open_regular(path), "rb") as stream:
        yield stream


@contextmanager
def stable_path(path: Path | str, max_bytes: int) -> Iterator[str]:
    """Yield a path of a regular file for a library that opens files by itself.

    It is the path of this file, whatever takes its place meanwhile. Raises FileError, also for a file of more than `max_bytes`.
    """
    with open_file(path) as stream:
        if os.fstat(stream.fileno()).st_size > max_bytes:
            raise FileError(path, _too_large(max_bytes))
        opened = f"/dev/fd/{stream.fileno()}"
        yield opened if os.path.exists(opened) else str(path)  # noqa: PTH110  (a link to what has another name)


def check_file(path: Path | str) -> None:
    """Raise FileError unless the path is a readable regular file."""
    os.close(_open_regular(path))


def read_file(path: Path | str, max_bytes: int) -> bytes:
    """Return the content of a regular file. Raises FileError, also for a file of more than `max_bytes`."""
    with open_file(path) as stream:
        try:
            # Files of /proc have a size of 0, and other processes may append.
            content = b"" if os.fstat(stream.fileno()).st_size > max_bytes else stream.read(max_bytes + 1)
        except OSError as error:
            raise _unreadable(path, error) from error
        if len(content) > max_bytes or (not content and os.fstat(stream.fileno()).st_size > max_bytes):
            raise FileError(path, _too_large(max_bytes))
    return content


def read_text(path: Path | str, max_bytes: int) -> str:
    """Return the text of a regular file (UTF-8, with or without a byte order mark). Raises FileError."""
    try:
        return read_file(path, max_bytes).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(path, "it is not valid UTF-8") from error


def read_tail(path: Path | str, max_bytes: int) -> bytes:
    """Return the last `max_bytes` bytes of a regular file, or all of a smaller one. Raises FileError."""
    with open_file(path) as stream:
        try:
            stream.seek(max(os.fstat(stream.fileno()).st_size - max_bytes, 0))
            return stream.read(max_bytes)
        except OSError as error:
            raise _unreadable(path, error) from error


def check_replaceable(path: Path | str) -> None:
    """Raise FileError unless a file can be created at the path or replace the regular file there."""
    try:
        mode = Path(path).stat().st_mode
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise _unreadable(path, error, "written") from error
    if not stat.S_ISREG(mode):
        raise FileError(path, f"it cannot be written: {_kind(mode)}")


@contextmanager
def open_output(path: Path | str, *, append: bool = False) -> Iterator[BinaryIO]:
    """Open a file for writing, as a context manager: a regular file, a device, or a pipe that has a reader.

    Raises FileError.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        number = os.open(path, flags | (os.O_APPEND if append else os.O_TRUNC), 0o666)
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENXIO:
            raise FileError(path, "it cannot be written: it is a pipe without a reader, or a socket") from error
        raise _unreadable(path, error, "written") from error
    os.set_blocking(number, True)
    with os.fdopen(number, "ab" if append else "wb") as stream:
        yield stream


def _open_regular(path: Path | str) -> int:
    """Return the descriptor of an open regular file. Raises FileError."""
    try:
        # The check comes before the open, which can move a tape or wake up a process that writes into a pipe.
        mode = Path(path).stat().st_mode
        if stat.S_ISREG(mode):
            # The path may refer to a pipe by now, which must not block.
            number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
            mode = os.fstat(number).st_mode
            if stat.S_ISREG(mode):
                return number
            os.close(number)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    raise FileError(path, f"it cannot be read: {_kind(mode)}")


def _too_large(max_bytes: int) -> str:
    return f"it is larger than the limit of {max_bytes} bytes"


def _kind(mode: int) -> str:
    return next((name for matches, name in _KINDS if matches(mode)), _OTHER)


def _unreadable(path: Path | str, error: OSError | ValueError, done: str = "read") -> FileError:
    # Python raises ValueError for a name with a NUL, or one that the file system cannot encode.
    reason = error.strerror if isinstance(error, OSError) else "the name is not a valid file name"
    return FileError(path, f"it cannot be {done}: {reason}")
