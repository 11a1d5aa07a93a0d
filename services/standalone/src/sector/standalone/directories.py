"""Creates the directories of a world in --data, before a process starts. A file in their place is an error."""

from pathlib import Path

from sector.models.regular_file import FileError

PRIVATE_MODE = 0o700


def create_directory(path: Path) -> Path:
    """Create a directory that only its owner can read, unless it exists. Raises FileError."""
    try:
        path.mkdir(PRIVATE_MODE, parents=True, exist_ok=True)
    except FileExistsError as error:
        raise FileError(path, "it is not a folder") from error
    except OSError as error:
        raise FileError(path, error.strerror or "it cannot be created") from error
    return path


def create_private_directory(path: Path) -> Path:
    """Create a directory unless it exists, and let only its owner read it. Raises FileError."""
    create_directory(path)
    try:
        # Earlier versions created it for all to read.
        path.chmod(PRIVATE_MODE)
    except OSError as error:
        raise FileError(path, error.strerror or "its permissions cannot be restricted") from error
    return path
