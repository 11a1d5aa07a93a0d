"""`python -m sector.world.replay FILE`: plays an exported log again, and holds every tick against what was recorded."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError
from tqdm import tqdm

from sector.models import SimConfig
from sector.models.archive import ArchiveError, Founding, Keyframe, Record, TickEntry, read_archive
from sector.models.delta import DeltaError, apply_delta
from sector.models.frame import Frame, FrameError, decode, digest
from sector.models.rows import row_ids
from sector.world.sector import Position, SectorWorld

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Difference:
    """The first tick whose replay is not what was recorded: both state hashes, and the columns that differ, a line each."""

    tick: int
    recorded: str
    replayed: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replayed:
    """How far a replay came: the tick that it reached, ticks replayed, and the difference at which it stopped, or None."""

    tick: int
    ticks: int
    difference: Difference | None


class ReplayError(ValueError):
    """An archive whose records do not make a history. `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def replay(records: Iterator[Record]) -> Iterator[Replayed]:
    """Play the records again, from the first keyframe on; yield how far it came after each tick.

    The last one yielded has a difference if there is one. Raises ReplayError, ArchiveError, FrameError.
    """
    world = SectorWorld()
    founding = next(records, None)
    if not isinstance(founding, Founding):
        raise ReplayError("an archive begins with how the sim was founded")
    try:
        config = SimConfig.model_validate_json(founding.config)
    except ValidationError as error:
        raise ReplayError(f"its config is none: {error.errors()[0]['msg']}") from error
    keyframe = next(records, None)
    if not isinstance(keyframe, Keyframe):
        raise ReplayError("it holds no keyframe to begin with")
    position = world.load(config, founding.map, keyframe.snapshot)
    done = Replayed(position.state.tick, 0, None)
    yield done
    for record in records:
        position, done = _next(world, position, record, done.ticks)
        yield done
        if done.difference is not None:
            return


def _next(world: SectorWorld, position: Position, record: Record, ticks: int) -> tuple[Position, Replayed]:
    """Return where a record leads to; `ticks` have been replayed before."""
    now = position.state.tick
    match record:
        case Founding():
            raise ReplayError("the sim is founded twice")
        case Keyframe():
            if record.tick != now:
                raise ReplayError(f"a keyframe of tick {record.tick} stands after tick {now}")
            difference = _against(now, position, digest(record.snapshot), decode(record.snapshot))
            return position, Replayed(now, ticks, difference)
        case TickEntry():
            if record.tick != now + 1:
                raise ReplayError(f"tick {record.tick} follows tick {now}")
            after, difference = _step(world, position, record)
            return after, Replayed(record.tick, ticks + 1, difference)


def _step(world: SectorWorld, before: Position, record: TickEntry) -> tuple[Position, Difference | None]:
    if before.state.status == "finished":
        raise ReplayError(f"tick {record.tick} follows the end of the sim")
    after = world.advance(before, record.orders).state
    if after.digest == record.hash:
        return after, None
    try:
        recorded = apply_delta(before.frame, decode(record.delta))
    except DeltaError as error:
        raise ReplayError(f"the delta of tick {record.tick} does not fit: {error}") from error
    return after, _against(record.tick, after, record.hash, recorded)


def _against(tick: int, replayed: Position, recorded_hash: str, recorded: Frame) -> Difference | None:
    if replayed.digest == recorded_hash:
        return None
    return Difference(tick, recorded_hash, replayed.digest, tuple(_differing(recorded, replayed.frame)))


def _differing(recorded: Frame, replayed: Frame) -> Iterator[str]:
    """Yield for each column in which two snapshots differ what it is, where it differs first, and how."""
    for name in sorted(recorded.meta.keys() | replayed.meta.keys()):
        if recorded.meta.get(name) != replayed.meta.get(name):
            yield f"{name}: recorded {recorded.meta.get(name)}, replayed {replayed.meta.get(name)}"
    for table_name, old in sorted(recorded.tables.items()):
        new = replayed.tables[table_name]
        if old.rows != new.rows:
            yield f"{table_name}: recorded {old.rows} rows, replayed {new.rows}"
        ids = row_ids(old)
        columns: dict[str, tuple[Sequence[object], Sequence[object]]] = {
            column: (old.columns[column].values.tolist(), new.columns[column].values.tolist()) for column in old.columns
        }
        columns |= {label: (old.labels[label], new.labels[label]) for label in old.labels}
        for column, (was, is_) in sorted(columns.items()):
            rows = [row for row, (a, b) in enumerate(zip(was, is_, strict=False)) if a != b]
            if rows:
                shown = ", ".join(f"{ids[row]} {was[row]} and not {is_[row]}" for row in rows[:_SHOWN])
                more = f", and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
                yield f"{table_name}.{column}: recorded {shown}{more}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify an archive; returns the exit status: 0 as recorded, 1 not so, 2 no archive."""
    parser = argparse.ArgumentParser(
        prog="python -m sector.world.replay",
        description="Plays an exported log again from its first keyframe, and holds the state hash of every tick against the"
        " recorded one. The first tick that differs is named, with the columns that do.",
        epilog="exit status: 0 if all is as recorded, 1 if a tick differs, 2 if the file is no archive.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="what `python -m sector.state export` wrote")
    path: Path = parser.parse_args(arguments).file
    try:
        with path.open("rb") as stream:
            last = _watched(stream, path.stat().st_size)
    except (OSError, ArchiveError, FrameError, ReplayError) as error:
        print(f"replay: {path}: {error}", file=sys.stderr)
        return 2
    if last.difference is None:
        print(f"{path}: {last.ticks} ticks replayed up to tick {last.tick}, all as recorded")
        return 0
    difference = last.difference
    print(f"{path}: tick {difference.tick} differs: recorded {difference.recorded}, replayed {difference.replayed}")
    for line in difference.columns or ("no column does: the recorded state is the one replayed, its hash is not",):
        print(f"  {line}")
    return 1


def _watched(stream: BinaryIO, size: int) -> Replayed:
    last = Replayed(0, 0, None)
    # disable=None: the bar is for a terminal.
    with tqdm(total=size, unit="B", unit_scale=True, desc="replay", disable=None) as bar:
        for last in replay(read_archive(stream)):
            bar.update(stream.tell() - bar.n)
            bar.set_postfix_str(f"tick {last.tick}", refresh=False)
    return last


if __name__ == "__main__":
    sys.exit(main())
