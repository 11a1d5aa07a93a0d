"""The folders of a world in --data. A file in the place of one is said so before anything is started."""

from pathlib import Path

from sector.models.regular_file import FileError

PRIVATE = 0o700


def make_folder(path: Path) -> Path:
    """Create a folder where there is none, for its owner only. Raises FileError."""
    try:
        path.mkdir(PRIVATE, parents=True, exist_ok=True)
    except FileExistsError as error:
        raise FileError(path, "it is not a folder") from error
    except OSError as error:
        raise FileError(path, error.strerror or "it cannot be created") from error
    return path


def make_private_folder(path: Path) -> Path:
    """Create a folder where there is none, and close it to all but its owner. Raises FileError."""
    make_folder(path)
    try:
        # Earlier versions created it for all to read.
        path.chmod(PRIVATE)
    except OSError as error:
        raise FileError(path, error.strerror or "it cannot be closed to others") from error
    return path
