"""`python -m sector.world.replay FILE`: replays an exported log and compares every tick with the recorded one."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tqdm import tqdm

from sector.models.archive import ArchiveError, Founding, Keyframe, Record, TickEntry, read_archive
from sector.models.archive_check import HistoryChecker, RecordError
from sector.models.deprecated_names import deprecated_names
from sector.models.frame import Frame, FrameError, Table, decode, digest, encode
from sector.models.printable import printable
from sector.models.regular_file import FileError, open_file
from sector.models.rows import row_ids
from sector.world.sector import Position, SectorWorld

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Difference:
    """The first tick whose replay differs from the record: both state hashes, and one line for each column that
    differs.
    """

    tick: int
    recorded: str
    replayed: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReplayProgress:
    """The progress of a replay: the last tick, the number of ticks replayed, and the difference that ended it, or None."""

    tick: int
    ticks: int
    difference: Difference | None


class ReplayError(ValueError):
    """An archive whose records do not form a history. `reason`: what is wrong with it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def replay(records: Iterator[Record]) -> Iterator[ReplayProgress]:
    """Replay the records from the first keyframe. Yield the progress after each tick.

    If a tick differs, the last progress has the difference. Raises ReplayError, ArchiveError or FrameError for an
    invalid archive.
    """
    player = _Player()
    try:
        for record in records:
            done = player.put(record)
            if done is not None:
                yield done
                if done.difference is not None:
                    return
        player.checker.finish()
    except RecordError as error:
        raise ReplayError(str(error)) from error


class _Player:
    """Validates each record, replays it, and compares the result of the rules with the record."""

    def __init__(self) -> None:
        self.checker = HistoryChecker(verify_states=False)
        self._world = SectorWorld()
        self._map = b""
        self._position: Position | None = None
        self._ticks = 0

    def put(self, record: Record) -> ReplayProgress | None:
        """Return the progress after a record, or None for the manifest and the first keyframe.

        Raises RecordError or ReplayError.
        """
        self.checker.put(record)
        match record:
            case Founding():
                self._map = record.map
                return None
            case Keyframe():
                difference = self._compare_keyframe(record)
                return ReplayProgress(record.tick, self._ticks, difference)
            case TickEntry():
                difference = self._step(record)
                return ReplayProgress(record.tick, self._ticks, difference)

    def _compare_keyframe(self, record: Keyframe) -> Difference | None:
        if self._position is None:
            self._position = self._world.load(self.checker.config, self._map, record.snapshot)
            return None
        return _compare(record.tick, self._position, digest(record.snapshot), decode(record.snapshot))

    def _step(self, record: TickEntry) -> Difference | None:
        if self._position is None:
            raise ReplayError("it has no keyframe before its first tick")
        try:
            after = self._world.advance(self._position, record.orders).state
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            # The first keyframe has values that no tick can produce.
            raise ReplayError(f"tick {record.tick} cannot be replayed: {type(error).__name__}: {error}") from error
        self._position, self._ticks = after, self._ticks + 1
        recorded = self.checker.frame
        if (difference := _compare(record.tick, after, record.hash, recorded)) is not None:
            return difference
        if digest(encode(recorded)) != after.digest:
            raise ReplayError(f"the delta of tick {record.tick} does not match its state hash")
        return None


def _compare(tick: int, replayed: Position, recorded_hash: str, recorded: Frame) -> Difference | None:
    if replayed.digest == recorded_hash:
        return None
    return Difference(tick, recorded_hash, replayed.digest, tuple(map(printable, _differing(recorded, replayed.frame))))


def _differing(recorded: Frame, replayed: Frame) -> Iterator[str]:
    """Yield one line for each column in which two snapshots differ: its name, the first difference, and the values."""
    for name in sorted(recorded.meta.keys() | replayed.meta.keys()):
        if recorded.meta.get(name) != replayed.meta.get(name):
            yield f"{name}: recorded {recorded.meta.get(name)!r}, replayed {replayed.meta.get(name)!r}"
    for name in sorted(recorded.tables.keys() | replayed.tables.keys()):
        yield from _differing_columns(name, recorded.tables.get(name, Table(0)), replayed.tables.get(name, Table(0)))


def _differing_columns(table_name: str, old: Table, new: Table) -> Iterator[str]:
    if old.rows != new.rows:
        yield f"{table_name}: recorded {old.rows} rows, replayed {new.rows}"
    ids = row_ids(old)
    was_columns, new_columns = _columns(old), _columns(new)
    if foreign := was_columns.keys() ^ new_columns.keys():
        yield f"{table_name}: columns on one side only: {', '.join(sorted(foreign))}"
    for column in sorted(was_columns.keys() & new_columns.keys()):
        pairs = zip(was_columns[column], new_columns[column], strict=False)
        rows = [(row, a, b) for row, (a, b) in enumerate(pairs) if a != b]
        if rows:
            listed = ", ".join(f"{ids[row]} {was} and not {is_}" for row, was, is_ in rows[:_SHOWN])
            more = f", and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
            yield f"{table_name}.{column}: recorded {listed}{more}"


def _columns(table: Table) -> dict[str, Sequence[object]]:
    columns: dict[str, Sequence[object]] = {name: held.values.tolist() for name, held in table.columns.items()}
    return columns | dict(table.labels)


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify an archive and return the exit status: 0 if every tick matches, 1 if one differs, 2 for an invalid
    archive.
    """
    parser = argparse.ArgumentParser(
        prog="python -m sector.world.replay",
        description="Replays an exported log from its first keyframe, and compares the state hash of every tick with the"
        " recorded one. The first tick that differs is named, with the columns that do.",
        epilog="example: python -m sector.world.replay default.sector. Exit status: 0 if every tick matches, 1 if a tick differs,"
        " 2 if the file is not an archive.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="file that `python -m sector.state export` wrote")
    path: Path = parser.parse_args(arguments).file
    try:
        with open_file(path) as stream:
            last = _replay_with_progress(stream, path.stat().st_size)
    except (OSError, ArchiveError, FileError, FrameError, ReplayError) as error:
        reason = error.reason if isinstance(error, FileError) else error
        print(printable(f"replay: {path}: {reason}"), file=sys.stderr)
        return 2
    if last.difference is None:
        print(f"{path}: {last.ticks} ticks replayed to tick {last.tick}, all as recorded")
        return 0
    difference = last.difference
    print(f"{path}: tick {difference.tick} differs: recorded {difference.recorded}, replayed {difference.replayed}")
    for line in difference.columns or ("no column differs: the recorded state matches, and its hash does not",):
        print(f"  {line}")
    return 1


def _replay_with_progress(stream: BinaryIO, size: int) -> ReplayProgress:
    last = ReplayProgress(0, 0, None)
    # With disable=None, tqdm shows the bar only on a terminal.
    with tqdm(total=size, unit="B", unit_scale=True, desc="replay", disable=None) as bar:
        for last in replay(read_archive(stream)):
            bar.update(stream.tell() - bar.n)
            bar.set_postfix_str(f"tick {last.tick}", refresh=False)
    return last


if __name__ == "__main__":
    sys.exit(main())


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(__name__, {"Replayed": "ReplayProgress"})
