"""`sector-state`: lists, exports, imports, forks and deletes sims."""

import argparse
import asyncio
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from pydantic import TypeAdapter, ValidationError
from redis.exceptions import RedisError, ResponseError
from tqdm import tqdm

from sector.models.archive import ArchiveError, ArchiveWriter, Record, read_archive
from sector.models.field_types import SimId
from sector.models.printable import printable
from sector.models.regular_file import FileError, check_replaceable, open_file, open_output
from sector.state.errors import StateError
from sector.state.history import history
from sector.state.redis.client import Client, connect
from sector.state.redis.error_messages import describe
from sector.state.redis.url import RedisAddress
from sector.state.sims import lifecycle
from sector.state.sims.exporter import Exporter
from sector.state.sims.fork import fork
from sector.state.sims.importer import import_sim
from sector.state.tick import lease

EXIT_WRONG_FILE = 2
_SIM_ID: TypeAdapter[str] = TypeAdapter(SimId)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0, 1 for an error, or 2 for a file that cannot be used.

    Errors go to stderr.
    """
    given = _parser().parse_args(arguments)
    try:
        return asyncio.run(_run(given))
    except RedisError as error:
        text, status = f"{describe(error)} ({type(error).__name__}: {error})", 1
    except FileError as error:
        text, status = str(error), EXIT_WRONG_FILE
    except ArchiveError as error:
        text, status = f"{given.file}: {error}", 1
    except (StateError, ValueError, OSError) as error:
        text, status = str(error), 1
    # The text may quote a file or data of Redis.
    print(f"{given.command}: {printable(text)}", file=sys.stderr)
    return status


async def _run(given: argparse.Namespace) -> int:
    redis = connect(given.redis_url)
    try:
        match given.command:
            case "list":
                return await _list(redis)
            case "export":
                return await _export(redis, given.sim, given.file)
            case "import":
                return await _import(redis, given.file, given.sim)
            case "fork":
                return await _fork(redis, given.sim, given.new, given.tick)
            case _:
                await lifecycle.delete(redis, given.sim)
                print(f"sim {given.sim} was removed")
                return 0
    finally:
        await redis.aclose()


async def _list(redis: Client) -> int:
    for sim_id in await lifecycle.list_ids(redis):
        try:
            history_range = await history.get_range(redis, sim_id)
        except (StateError, ResponseError) as error:
            print(f"{sim_id}: {printable(str(error))}")
            continue
        (holder,) = await lease.holders(redis, [sim_id])
        owner = f"owner {holder.partition(':')[0]}" if holder else "no owner"
        print(
            printable(
                f"{sim_id}: tick {history_range.head.tick}, {history_range.head.status}, history from tick {history_range.first}, {owner}"
            )
        )
    return 0


async def _export(redis: Client, sim_id: str, path: Path) -> int:
    partial = path.with_name(f"{path.name}.partial")
    for each in (path, partial):
        check_replaceable(each)
    try:
        exporter = await Exporter.open(redis, sim_id)
        ticks = exporter.last_tick - exporter.first_tick
        # With disable=None, tqdm shows the bar only on a terminal.
        with open_output(partial) as stream, tqdm(total=ticks, unit=" ticks", desc="export", disable=None) as bar:
            writer = ArchiveWriter(stream)
            async for record in exporter.records():
                writer.write(record)
                bar.update(getattr(record, "tick", exporter.first_tick) - exporter.first_tick - bar.n)
            writer.close()
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    print(f"{path}: ticks {exporter.first_tick} to {exporter.last_tick} of sim {sim_id}, {path.stat().st_size} bytes")
    return 0


async def _import(redis: Client, path: Path, sim_id: str) -> int:
    with open_file(path) as stream:
        head = await import_sim(redis, sim_id, _watched(stream, path.stat().st_size))
    print(f"sim {sim_id} was imported at tick {head.tick}")
    return 0


def _watched(stream: BinaryIO, size: int) -> Iterator[Record]:
    with tqdm(total=size, unit="B", unit_scale=True, desc="import", disable=None) as bar:
        for record in read_archive(stream):
            yield record
            bar.update(stream.tell() - bar.n)


async def _fork(redis: Client, sim_id: str, new_id: str, tick: int | None) -> int:
    start_tick = (await history.get_range(redis, sim_id)).head.tick if tick is None else tick
    head = await fork(redis, sim_id, start_tick, new_id)
    print(f"sim {new_id} was forked at tick {head.tick}: a worker that serves it continues from there")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sector-state",
        description="Lists, exports, imports, forks and removes sims while workers and API run.",
        epilog="example: sector-state export default default.sector. URL has any form that REDIS_URL has, also redis+sentinel://"
        " and redis+cluster://."
        " If Redis has users, use the user operator of docker/users.acl.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    _command(commands, "list", "list the sims with their tick, status, history and owner")
    export = _command(
        commands,
        "export",
        "write the history of a sim to a file",
        "Writes a sim to a file: config, map, and each tick since the oldest keyframe with its orders, events"
        " and delta. The sim may run meanwhile. `python -m sector.world.replay FILE` verifies the file.",
    )
    export.add_argument("sim", metavar="SIM", type=_sim_id, help="id of the sim, such as default")
    export.add_argument("file", metavar="FILE", type=Path, help="the file to write")
    imports = _command(
        commands,
        "import",
        "create a sim from an exported file",
        "Creates a sim with all its history from a file of `export`. The sim appears when the import is complete.",
    )
    imports.add_argument("file", metavar="FILE", type=Path, help="file that `export` wrote")
    imports.add_argument("sim", metavar="SIM", type=_sim_id, help="id of the new sim; no sim may have it")
    forks = _command(
        commands,
        "fork",
        "create a sim from the state of another sim at a tick",
        "Creates a sim from the state that another sim had at a tick of its history. The two sims are independent.",
    )
    forks.add_argument("sim", metavar="SIM", type=_sim_id, help="id of the sim to fork")
    forks.add_argument("new", metavar="NEW", type=_sim_id, help="id of the new sim; no sim may have it")
    forks.add_argument("--tick", metavar="N", type=int, help="tick to fork at (default: the newest)")
    removes = _command(commands, "remove", "remove a sim with its state, history and orders")
    removes.add_argument(
        "sim", metavar="SIM", type=_sim_id, help="id of the sim; a worker with this SIM_ID creates it again"
    )
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, summary: str, description: str = ""
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=summary, description=description or f"{summary[0].upper()}{summary[1:]}.")
    # The help omits the value, and the setting is an alternative: all users of the machine can read arguments, and the
    # URL may contain a password.
    command.add_argument(
        "--redis-url",
        type=_redis_url,
        default=os.environ.get("REDIS_URL") or "redis://localhost:6379/0",
        help="URL of Redis (default: REDIS_URL, else redis://localhost:6379/0); set REDIS_URL if the URL has a password",
        metavar="URL",
    )
    return command


def _redis_url(text: str) -> RedisAddress:
    try:
        return RedisAddress.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _sim_id(text: str) -> str:
    try:
        return _SIM_ID.validate_python(text)
    except ValidationError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a sim id: use up to 63 lower-case letters, digits, - and _"
        ) from error


if __name__ == "__main__":
    sys.exit(main())
