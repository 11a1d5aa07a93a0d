"""`python -m sector.state export`: a sim as one file."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from redis.exceptions import RedisError
from tqdm import tqdm

from sector.models.archive import ArchiveWriter
from sector.state.connect import connect
from sector.state.errors import StateError
from sector.state.export import Exporter


def main(arguments: Sequence[str] | None = None) -> int:
    """Export a sim; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m sector.state", description="What can be done with a sim as a whole."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    export = commands.add_parser(
        "export",
        help="write the kept history of a sim into one file",
        description="Writes a sim into one file: config, map, and from the oldest keyframe on every tick with its orders, events"
        " and delta. The sim may go on meanwhile. `python -m sector.world.replay FILE` verifies such a file.",
    )
    export.add_argument("sim", metavar="SIM", help="id of the sim, such as default")
    export.add_argument("file", metavar="FILE", type=Path, help="the file to write")
    export.add_argument(
        "--redis-url", default="redis://localhost:6379/0", help="where the sim is; default %(default)s", metavar="URL"
    )
    given = parser.parse_args(arguments)
    try:
        return asyncio.run(_export(given.redis_url, given.sim, given.file))
    except (RedisError, StateError, OSError, ValueError) as error:
        print(f"export: {error}", file=sys.stderr)
        return 1


async def _export(redis_url: str, sim_id: str, path: Path) -> int:
    redis = connect(redis_url)
    partial = path.with_name(f"{path.name}.partial")
    try:
        exporter = await Exporter.open(redis, sim_id)
        ticks = exporter.last_tick - exporter.first_tick
        # disable=None: the bar is for a terminal.
        with partial.open("wb") as stream, tqdm(total=ticks, unit=" ticks", desc="export", disable=None) as bar:
            writer = ArchiveWriter(stream)
            async for record in exporter.records():
                writer.write(record)
                bar.update(getattr(record, "tick", exporter.first_tick) - exporter.first_tick - bar.n)
            writer.close()
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
        await redis.aclose()
    print(f"{path}: ticks {exporter.first_tick} to {exporter.last_tick} of sim {sim_id}, {path.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
