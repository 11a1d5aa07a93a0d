"""An API whose disk stalls: while a named pipe is beside the key file, reads of the file wait for a writer."""

from pathlib import Path

from sector.api import keyring
from sector.api.__main__ import main
from sector.api.jwks import KeySet, load_keys


def stall_of(path: Path) -> Path:
    """Return the path of the pipe."""
    return path.with_name(f"{path.name}.stall")


def _load_when_the_disk_answers(path: Path) -> KeySet:
    if (stall := stall_of(path)).exists():
        stall.read_bytes()
    return load_keys(path)


if __name__ == "__main__":
    setattr(keyring, "load_keys", _load_when_the_disk_answers)  # noqa: B010  (it is imported there)
    main()
