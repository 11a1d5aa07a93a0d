"""Fuzzes the codec with atheris: `python fuzz_snapshots.py FOLDER -runs=20000`. The folder contains initial snapshots."""

import sys

import atheris

with atheris.instrument_imports(
    include=["sector.models.frame", "sector.models.rows", "sector.models.archive_check", "sector.world.codec"]
):
    from foreign_bytes import is_accepted

    from fixtures.archives import append_digest


def one_input(data: bytes) -> None:
    """Use the bytes unchanged, and with a valid digest."""
    is_accepted(data)
    is_accepted(append_digest(data))


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
