"""Replays of exported logs."""

import contextlib
import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from fixtures import archives
from fixtures.archives import replace_meta, replace_record
from fixtures.corrupt_archives import RECORDS, corrupt_archives
from fixtures.long import max_examples
from fixtures.processes import run_module
from sector.models import ORDER, Join, LoggedOrder, MoveFleet, Puppet, SimConfig
from sector.models.archive import ArchiveWriter, Founding, Keyframe, Record, TickEntry
from sector.models.frame import FrameError, digest
from sector.world import SectorWorld
from sector.world.replay import Difference, ReplayError, main, replay

CONFIG = SimConfig(seed=8, systems=30, homes=4, puppets=(Puppet(faction="Crimson"), Puppet(faction="Azure")))
WORLD = SectorWorld()


def history(ticks: int = 24, keyframe_every: int = 8, config: SimConfig = CONFIG) -> list[Record]:
    """Return the records of a world in which a faction joins and moves, while puppets play."""
    map_blob, snapshot = WORLD.create(config)
    records: list[Record] = [
        Founding("default", config.model_dump_json().encode(), map_blob),
        Keyframe(0, "0-0", snapshot),
    ]
    position, cursor = WORLD.load(config, map_blob, snapshot), "0-0"
    for tick in range(1, ticks + 1):
        orders: tuple[LoggedOrder, ...] = ()
        if tick == 2:
            orders = (LoggedOrder("2-0", "me", False, ORDER.dump_json(Join(faction="Me"))),)
        elif tick > 2 and tick % 5 == 0:
            home = int(position.state.factions.home[2])
            target = int(position.state.galaxy.neighbours(home)[0])
            move = MoveFleet(faction="Me", system=f"S{home}", target=f"S{target}", ships=3)
            orders = (LoggedOrder(f"{tick}-0", "me", False, ORDER.dump_json(move)),)
        step = WORLD.advance(position, orders)
        records.append(TickEntry(tick, 0, digest(step.snapshot), orders, step.events, step.delta))
        cursor = orders[-1].id if orders else cursor
        if tick % keyframe_every == 0:
            records.append(Keyframe(tick, cursor, step.snapshot))
        position = step.state
    return records


def save(records: list[Record], path: Path) -> Path:
    with path.open("wb") as stream:
        writer = ArchiveWriter(stream)
        for record in records:
            writer.write(record)
        writer.close()
    return path


def differences(records: list[Record]) -> Difference | None:
    *_, last = replay(iter(records))
    return last.difference


def test_a_history_is_replayed_exactly() -> None:
    *_, last = replay(iter(history()))
    assert (last.tick, last.ticks, last.difference) == (24, 24, None)


def test_a_replay_may_begin_at_any_keyframe() -> None:
    records = history()
    at = next(i for i, r in enumerate(records) if isinstance(r, Keyframe) and r.tick == 8)
    later = [records[0], *records[at:]]
    *_, last = replay(iter(later))
    assert (last.tick, last.ticks, last.difference) == (24, 16, None)


def test_ids_and_issuers_of_orders_do_not_change_the_state() -> None:
    records = history(keyframe_every=1000)
    renamed = [
        (
            replace(
                r, orders=tuple(replace(o, id=f"9{r.tick:02}{n}-7", issuer="another") for n, o in enumerate(r.orders))
            )
            if isinstance(r, TickEntry)
            else r
        )
        for r in records
    ]
    assert differences(renamed) is None


def test_the_first_different_tick_is_reported_with_its_columns() -> None:
    records = history()
    place = next(i for i, r in enumerate(records) if isinstance(r, TickEntry) and r.tick == 5)
    entry = records[place]
    assert isinstance(entry, TickEntry)
    body = json.loads(entry.orders[0].body) | {"ships": 4}
    records[place] = replace(entry, orders=(replace(entry.orders[0], body=json.dumps(body).encode()),))
    difference = differences(records)
    assert difference is not None
    assert difference.tick == 5
    assert [line.split(":")[0] for line in difference.columns] == ["fleets.ships", "systems.ships"]
    assert " 3 and not 4" in difference.columns[0]


def test_a_keyframe_that_differs_from_the_rules_is_reported() -> None:
    records = history()
    place = next(i for i, r in enumerate(records) if isinstance(r, Keyframe) and r.tick == 8)
    keyframe = records[place]
    assert isinstance(keyframe, Keyframe)
    records[place] = replace(keyframe, snapshot=replace_meta(keyframe.snapshot, next_fleet=99))
    difference = differences(records)
    assert difference is not None
    assert difference.tick == 8
    assert [line.partition(" recorded 99,")[0] for line in difference.columns] == ["next_fleet:"]


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (slice(1, None), "must start with a manifest record"),
        (slice(0, 0), "no keyframe before its first tick"),
        (slice(0, 1), "no keyframe before its first tick"),
        ([0, 2], "no keyframe before its first tick"),
        ([0, 1, 3], "tick 2 follows tick 0"),
        ([0, 1, 0], "second manifest record"),
        ([0, 1, 2, 1], "a keyframe of tick 0 follows tick 1"),
    ],
)
def test_records_that_are_no_history_are_rejected(selection: slice | list[int], message: str) -> None:
    records = history(4)
    broken = records[selection] if isinstance(selection, slice) else [records[i] for i in selection]
    with pytest.raises(ReplayError, match=message):
        list(replay(iter(broken)))


def test_an_invalid_config_is_rejected() -> None:
    founding, *rest = history(1)
    assert isinstance(founding, Founding)
    with pytest.raises(ReplayError, match=r"record 1 \(manifest\): config.melted: is not a known field; it is 7"):
        list(replay(iter([replace(founding, config=b'{"melted": 7}'), *rest])))


def test_no_tick_follows_the_end_of_the_sim() -> None:
    records = history(1, config=CONFIG.model_copy(update={"max_ticks": 1}))
    last = records[-1]
    assert isinstance(last, TickEntry)
    with pytest.raises(ReplayError, match="tick 2 follows the end of the sim"):
        list(replay(iter([*records, replace(last, tick=2)])))


def test_a_delta_that_does_not_fit_is_rejected_where_the_state_differs() -> None:
    records = history(2)
    first, second = records[-2:]
    assert isinstance(first, TickEntry)
    assert isinstance(second, TickEntry)
    records[-1] = replace(second, hash="0" * 32, delta=first.delta)
    with pytest.raises(ReplayError, match=r"record 4 \(tick\): delta.meta.tick: the record is of tick 2; it is 1"):
        list(replay(iter(records)))


def run(path: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return run_module("sector.world.replay", str(path), settings=settings)


@pytest.mark.parametrize("seed", ["0", "4242"])
def test_the_command_verifies_a_file_in_any_process(tmp_path: Path, seed: str) -> None:
    done = run(save(history(), tmp_path / "sim.log"), PYTHONHASHSEED=seed)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{tmp_path}/sim.log: 24 ticks replayed to tick 24, all as recorded\n"


def test_the_command_reports_differences_and_invalid_archives(tmp_path: Path) -> None:
    records = history()
    last = records[-2]
    assert isinstance(last, TickEntry)
    records[-2] = replace(last, hash="0" * 32)
    done = run(save(records, tmp_path / "sim.log"))
    assert done.returncode == 1
    assert f"tick 24 differs: recorded {'0' * 32}, replayed " in done.stdout
    assert "the recorded state matches" in done.stdout
    (tmp_path / "cut.log").write_bytes((tmp_path / "sim.log").read_bytes()[:5000])
    done = run(tmp_path / "cut.log")
    assert done.returncode == 2
    assert "ends in the middle of a record" in done.stderr
    assert run(tmp_path / "nowhere.log").returncode == 2


ESCAPES = "\x1b]0;pwned\x07"


def invalid_archives() -> dict[str, tuple[list[Record], str]]:
    founding, keyframe, tick = RECORDS[0], RECORDS[1], RECORDS[2]
    assert isinstance(founding, Founding)
    assert isinstance(keyframe, Keyframe)
    assert isinstance(tick, TickEntry)
    return {
        "a tick far off": (replace_record(RECORDS, 1, tick=2**62), "tick"),
        "a tick of another snapshot": (replace_record(RECORDS, 1, tick=5), "the record is of tick 5; it is 0"),
        "a cursor that is no id": (replace_record(RECORDS, 1, cursor="x"), "cursor"),
        "a time far off": (replace_record(RECORDS, 2, at_ms=2**62), "at_ms"),
        "a map that is a snapshot": (
            replace_record(RECORDS, 0, map=keyframe.snapshot),
            "map: it is not of the kind map",
        ),
        "a hash that rings": (replace_record(RECORDS, 2, hash=ESCAPES), "hash"),
        "a delta that leads elsewhere": (
            replace_record(RECORDS, 2, delta=replace_meta(tick.delta, next_fleet=77)),
            "the delta of tick 1 does not match its state hash",
        ),
        "a status that rings": (
            replace_record(RECORDS, 1, snapshot=replace_meta(keyframe.snapshot, status=ESCAPES)),
            "status",
        ),
    }


@pytest.mark.parametrize("lie", invalid_archives())
def test_a_forged_archive_is_never_reported_as_recorded(
    tmp_path: Path, lie: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """The records are checked in memory and as a file. Foreign text reaches the terminal escaped."""
    records, message = invalid_archives()[lie]
    with pytest.raises(ReplayError, match=re.escape(message)):
        list(replay(iter(records)))
    assert main([str(archives.write_records(records, tmp_path / "sim.log"))]) == 2
    printed = "".join(capfd.readouterr())
    assert message.partition(":")[0] in printed
    assert printed.rstrip("\n").isprintable()


def test_a_difference_in_text_is_shown_escaped(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tick = RECORDS[2]
    assert isinstance(tick, TickEntry)
    records = replace_record(RECORDS, 2, hash="0" * 32, delta=replace_meta(tick.delta, parent=ESCAPES))
    assert main([str(archives.write_records(records, tmp_path / "sim.log"))]) == 1
    printed = "".join(capfd.readouterr())
    assert "pwned" in printed
    assert printed.replace("\n", "").isprintable()


@settings(max_examples=max_examples(600), deadline=None)
@given(corrupt_archives())
def test_any_archive_is_rejected_clearly_or_replayed(records: list[Record]) -> None:
    with contextlib.suppress(ReplayError, FrameError):
        list(replay(iter(records)))
