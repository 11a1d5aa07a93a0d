"""Golden files of the binary formats, encoded by the Python codecs, for the unit tests of the page's modules.

`./pants run services/viz/tests/page_golden.py` writes them to `page/golden`. Each `<name>.bin` has a
`<name>.json` with the expected values. `test_viz_modules.py` checks that the files equal the current output
of the Python codecs. `page/*.test.js` check that the page decodes them to the same values.
"""

import argparse
import json
import struct
import zlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import xxhash

from sector.models.delta import apply_delta
from sector.models.faction_totals import FactionTotals
from sector.models.frame import Column, Frame, FrameError, Table, decode, digest, encode
from sector.models.rows import event_rows
from sector.viz.tick_codec import deflate, encode_tick

FOLDER = Path("services/viz/tests/page/golden")
"""Relative to the root of the repository, and to that of a Pants sandbox."""

_DIGEST_BYTES = 16
_HEADER = struct.Struct("<4sHHI")
_AT_MS = 1_764_000_000_123

_NAMES = ("Alpha", "Ålesund", "日本", "🚀 Ω", "e\u0301 <b>&\"'", "\u2028line")
"""Latin, Han, an emoji outside the basic plane, a combining accent, HTML characters, and a line separator."""


def _column(code: str, *values: int, refers_to: str | None = None, prefix: str = "") -> Column:
    view = memoryview(bytes(values)).cast("?") if code == "?" else memoryview(array(code, values))
    return Column(view, refers_to, prefix)


def _systems(*owners: int, ships: tuple[int, ...]) -> Table:
    columns = {"owner": _column("h", *owners, refers_to="factions"), "ships": _column("q", *ships)}
    return Table(len(owners), columns, prefix="S")


def _factions(count: int) -> Table:
    return Table(
        count,
        {
            "alive": _column("?", *(int(row != 1) for row in range(count))),
            "home": _column("i", *range(count), refers_to="systems"),
            "puppet": _column("?", *(row % 2 for row in range(count))),
            "supply": _column("q", *(10**12 - row for row in range(count))),
        },
        {
            "colour": ("#1f77b4", "#ff7f0e", "#2ca02c")[:count],
            "id": ("Crimson", "Me-2", "Ünïcode")[:count],
        },
    )


def _fleets(*rows: tuple[int, int, int, int, int, int, int]) -> Table:
    names = (("id", "q"), ("owner", "h"), ("origin", "i"), ("target", "i"), ("ships", "q"))
    ticks = (("departed", "i"), ("arrives", "i"))
    tables = {"owner": "factions", "origin": "systems", "target": "systems"}
    columns = {
        name: _column(code, *(row[at] for row in rows), refers_to=tables.get(name))
        for at, (name, code) in enumerate(names + ticks)
    }
    return Table(len(rows), columns, prefix="F")


MAP = Frame(
    "map",
    {},
    {
        "systems": Table(
            6,
            {
                "x": _column("i", -20, 0, 20, 40, 60, 10**6),
                "y": _column("i", 5, -5, 5, -5, 5, -(10**6)),
                "growth": _column("i", 3, 0, 1, 2, 4, 10**6),
                "supply_yield": _column("i", 0, 1, 2, 3, 4, 5),
            },
            {"name": _NAMES},
            "S",
        ),
        "lanes": Table(
            5,
            {
                "a": _column("i", 0, 1, 2, 3, 0, refers_to="systems"),
                "b": _column("i", 1, 2, 3, 4, 2, refers_to="systems"),
                "length": _column("i", 3, 4, 5, 6, 7),
            },
            prefix="L",
        ),
        "homes": Table(2, {"system": _column("i", 4, 0, refers_to="systems")}, prefix="H"),
    },
)

SNAPSHOT = Frame(
    "snapshot",
    {"tick": 41, "status": "running", "winner": None, "next_fleet": 9, "parent": "0" * 32},
    {
        "systems": _systems(0, -1, 1, 0, -1, 2, ships=(10, 20, 30, 10**12, 2**53 - 1, 0)),
        "factions": _factions(3),
        "fleets": _fleets((7, 0, 0, 1, 5, 40, 43), (8, 2, 3, 4, 10**12, 38, 44), (2**40, 1, 2, 0, 1, 41, 48)),
    },
)


def _meta(tick: int) -> dict[str, Any]:
    return {**SNAPSHOT.meta, "tick": tick}


def _frames() -> Iterator[tuple[str, Frame]]:
    yield "map", MAP
    yield "snapshot", SNAPSHOT
    yield "no-tables", Frame("snapshot", {}, {})
    yield (
        "empty-tables",
        Frame(
            "snapshot",
            {"tick": 0},
            {
                "bare": Table(0),
                "columns": Table(0, {code: _column(code) for code in "bhiq?"}, {"id": ()}, "C"),
                "labels": Table(0, {}, {"id": (), "text": ()}),
                "after": Table(1, {"last": _column("b", -7)}),
            },
        ),
    )
    for code, bits in {"b": 7, "h": 15, "i": 31}.items():
        bound = 2**bits
        values = (-bound, 1 - bound, -1, 0, 1, bound - 2, bound - 1)
        yield f"type-{bits + 1}-bit", Frame("snapshot", {}, {"t": Table(7, {"v": _column(code, *values)})})
    yield "type-bool", Frame("snapshot", {}, {"t": Table(9, {"v": _column("?", 1, 0, 0, 1, 1, 1, 0, 1, 1)})})
    exact = (0, 1, -1, 2**31, -(2**31), 2**32, 2**32 - 1, -(2**32), 10**12, 2**53 - 1, 1 - 2**53, 2**53, -(2**53))
    yield "type-64-bit", Frame("snapshot", {}, {"t": Table(len(exact), {"v": _column("q", *exact)})})
    # The page reads them as doubles, so each becomes the nearest double, as in JSON.
    beyond = (2**53 + 1, 2**53 + 3, -(2**53) - 1, 2**60 + 1, 2**63 - 1, -(2**63), 1 - 2**63, 123_456_789_012_345_678)
    yield "type-64-bit-beyond-double", Frame("snapshot", {}, {"t": Table(len(beyond), {"v": _column("q", *beyond)})})
    # The lengths of the columns leave different numbers of bytes to the next multiple of 8.
    yield (
        "padding",
        Frame(
            "snapshot",
            {},
            {
                f"rows-{rows}": Table(
                    rows,
                    {
                        "a": _column("b", *range(rows)),
                        "b": _column("h", *range(-rows, 0)),
                        "c": _column("i", *range(rows)),
                        "d": _column("q", *range(rows)),
                        "e": _column("?", *(row % 2 for row in range(rows))),
                    },
                )
                for rows in range(1, 9)
            },
        ),
    )
    yield (
        "references",
        Frame(
            "events",
            {},
            {
                "other": Table(2, {"n": _column("i", 0, 1)}, {"id": ("a", "b")}),
                "t": Table(
                    3,
                    {
                        "fleet": _column("q", -1, 0, 2**40, prefix="F"),
                        "other": _column("h", -1, 1, 0, refers_to="other"),
                        "plain": _column("b", 1, 2, 3),
                    },
                    prefix="Ü",
                ),
            },
        ),
    )
    meta: dict[str, Any] = {
        "text": "".join(_NAMES),
        "escapes": '\\ " / \b \f \n \r \t \x00 \x7f',
        "nested": {"list": [1, None, True, {"a": []}], "": ""},
        "large": 2**53 + 1,
        "negative": -(2**63),
        "ratio": 0.1,
    }
    table = Table(6, {"ширина": _column("b", *range(6))}, {"имя": _NAMES, "empty": ("",) * 6})
    yield "text", Frame("snapshot", meta, {"таблица": table, "a": Table(1, {}, {"id": ("ß",)})})


_DELTAS: Mapping[str, tuple[Frame, Frame]] = {
    "changed": (
        SNAPSHOT,
        Frame(
            "delta",
            {**_meta(42), "status": "finished", "winner": "Me-2"},
            {
                "systems.changed": Table(
                    2,
                    {
                        "row": _column("i", 4, 0),
                        "owner": _column("h", 1, -1, refers_to="factions"),
                        "ships": _column("q", 2**53 - 2, 0),
                    },
                ),
                "factions.changed": Table(1, {"row": _column("b", 1), "alive": _column("?", 1)}),
            },
        ),
    ),
    # Without `row` the values belong to all rows. Columns may be narrower than in the snapshot.
    "changed-everywhere": (
        SNAPSHOT,
        Frame(
            "delta",
            _meta(42),
            {
                "systems.changed": Table(6, {"ships": _column("h", 1, -2, 3, 32767, -32768, 0)}),
                "factions.changed": Table(3, {"supply": _column("i", 5, 6, 2**31 - 1)}),
            },
        ),
    ),
    "changed-narrow": (
        SNAPSHOT,
        Frame(
            "delta",
            _meta(42),
            {"systems.changed": Table(3, {"row": _column("b", 5, 1, 3), "ships": _column("b", -128, 127, 1)})},
        ),
    ),
    "removed": (SNAPSHOT, Frame("delta", _meta(42), {"fleets.removed": Table(2, {"id": _column("q", 2**40, 7)})})),
    "removed-all": (
        SNAPSHOT,
        Frame("delta", _meta(42), {"fleets.removed": Table(3, {"id": _column("q", 7, 8, 2**40)})}),
    ),
    "added": (
        SNAPSHOT,
        Frame("delta", _meta(42), {"fleets.added": _fleets((9, 1, 2, 1, 4, 42, 46), (10, 0, 0, 2, 1, 42, 49))}),
    ),
    "added-with-labels": (
        SNAPSHOT,
        Frame(
            "delta",
            _meta(42),
            {
                "factions.added": Table(
                    1,
                    {
                        "alive": _column("?", 1),
                        "home": _column("i", 4, refers_to="systems"),
                        "puppet": _column("?", 0),
                        "supply": _column("q", 50),
                    },
                    {"colour": ("#d62728",), "id": ("Новый",)},
                )
            },
        ),
    ),
    "added-narrow": (
        SNAPSHOT._replace(tables={**SNAPSHOT.tables, "fleets": _fleets()}),
        Frame(
            "delta",
            _meta(42),
            {
                "fleets.added": Table(
                    1,
                    {
                        "id": _column("b", 9),
                        "owner": _column("b", 1, refers_to="factions"),
                        "origin": _column("h", 1, refers_to="systems"),
                        "target": _column("b", 2, refers_to="systems"),
                        "ships": _column("i", 2**31 - 1),
                        "departed": _column("b", 42),
                        "arrives": _column("h", 300),
                    },
                    prefix="F",
                )
            },
        ),
    ),
    # Changed rows keep their ids, removed rows are deleted next, and added rows follow the remaining ones.
    "all-three": (
        SNAPSHOT,
        Frame(
            "delta",
            _meta(42),
            {
                "fleets.added": _fleets((9, 1, 2, 1, 4, 42, 46)),
                "fleets.changed": Table(1, {"row": _column("b", 2), "ships": _column("q", 77)}),
                "fleets.removed": Table(1, {"id": _column("q", 7)}),
                "systems.changed": Table(1, {"row": _column("b", 2), "owner": _column("b", -1, refers_to="factions")}),
            },
        ),
    ),
    # Removed rows are those of the snapshot, not of `added`.
    "removed-and-added-again": (
        SNAPSHOT,
        Frame(
            "delta",
            _meta(42),
            {
                "fleets.added": _fleets((7, 2, 1, 2, 6, 42, 46)),
                "fleets.removed": Table(2, {"id": _column("q", 7, 8)}),
            },
        ),
    ),
    "nothing": (SNAPSHOT, Frame("delta", _meta(42), {})),
    "empty-parts": (
        SNAPSHOT,
        Frame(
            "delta",
            _meta(42),
            {
                "fleets.added": _fleets(),
                "fleets.removed": Table(0, {"id": _column("q")}),
                "systems.changed": Table(0, {"row": _column("i"), "ships": _column("q")}),
            },
        ),
    ),
}

EVENTS = Frame(
    "events",
    {"tick": 42, "first": {"fleet_arrived": 4, "battle": 6}},
    {
        "factions": Table(3, {}, {"id": ("Crimson", "Me-2", "Ünïcode")}),
        "note": Table(
            2,
            {
                "n": _column("i", 1, 3),
                "faction": _column("b", 1, 2, refers_to="factions"),
                "system": _column("i", -1, 5, prefix="S"),
            },
            {"order": ("1-0", "1-2"), "text": ("<b>hello</b>", "🚀 Ω\u2028日本")},
        ),
        "order_rejected": Table(
            1,
            {"n": _column("i", 0), "faction": _column("b", -1, refers_to="factions")},
            {"order": ("0-0",), "reason": ("unknown_faction",), "detail": ("",)},
        ),
        "ships_mustered": Table(
            1,
            {
                "n": _column("i", 2),
                "faction": _column("b", 0, refers_to="factions"),
                "system": _column("b", 0, prefix="S"),
                "ships": _column("q", 10**12),
            },
            {"order": ("1-1",)},
        ),
        # These count on from the meta `first`.
        "fleet_arrived": Table(
            2,
            {
                "faction": _column("b", 0, 1, refers_to="factions"),
                "fleet": _column("q", 7, 2**40, prefix="F"),
                "system": _column("b", 1, 0, prefix="S"),
                "ships": _column("q", 5, 1),
            },
        ),
        "battle": Table(
            3,
            {
                "system": _column("b", 1, 0, 3, prefix="S"),
                "winner": _column("b", 0, -1, 2, refers_to="factions"),
                "ships": _column("h", 3, 0, 9),
            },
        ),
        # The rows of a list: two forces in the first battle, three in the last, none in the other.
        "battle.forces": Table(
            5,
            {
                "of": _column("b", 0, 0, 2, 2, 2),
                "faction": _column("b", -1, 0, 0, 1, 2, refers_to="factions"),
                "ships": _column("h", 2, 5, 1, 2, 12),
            },
        ),
    },
)

_EVENTS: Mapping[str, Frame] = {
    "all": EVENTS,
    "none": Frame("events", {"tick": 43}, {"factions": Table(1, {}, {"id": ("Crimson",)})}),
    "without-fields": Frame(
        "events",
        {"tick": 44, "first": {}},
        {
            "sim_finished": Table(1, {"n": _column("b", 0), "winner": _column("b", -1, refers_to="factions")}),
            "bare": Table(0),
        },
    ),
}


def _moments() -> Iterator[tuple[str, list[tuple[bytes, bytes, int, int]]]]:
    snapshot, events = encode(SNAPSHOT), encode(EVENTS)
    delta = encode(_DELTAS["all-three"][1])
    yield "snapshot", [(snapshot, b"", 0, 1)]
    yield "tick", [(delta, events, _AT_MS, 2**32 - 1)]
    # The events of a worker before 0.2 are not a frame. Their length is not a multiple of 8, so padding precedes the next moment.
    yield "several", [(delta, events, _AT_MS, 3), (delta, b'[{"type":"note"}]', 2**53 - 1, 4), (snapshot, b"", 0, 5)]
    yield "none", []


def _damaged() -> Iterator[tuple[str, bytes]]:
    """Yield damaged blobs by name. Most end with a matching digest, so that another check refuses them."""
    blob = encode(SNAPSHOT)
    body = blob[:-_DIGEST_BYTES]
    _, version, zero, length = _HEADER.unpack_from(blob)
    header = json.loads(body[_HEADER.size : _HEADER.size + length])
    columns = body[_HEADER.size + length + -(_HEADER.size + length) % 8 :]

    def of_header(text: bytes) -> bytes:
        start = _HEADER.pack(b"SECF", version, zero, len(text)) + text
        return _signed(start + bytes(-len(start) % 8) + columns)

    def of_change(change: dict[str, Any]) -> bytes:
        tables = {**header["tables"], "systems": {**header["tables"]["systems"], **change}}
        return of_header(json.dumps({**header, "tables": tables}).encode())

    yield "nothing", b""
    yield "too-short", blob[:27]
    yield "other-magic", _signed(b"SECT" + body[4:])
    yield "version-9", _signed(_HEADER.pack(b"SECF", 9, zero, length) + body[_HEADER.size :])
    yield "cut-in-header", blob[: _HEADER.size + 100]
    yield "cut-in-columns", blob[:-64]
    yield "cut-by-8-bytes", blob[:-8]
    yield "8-bytes-more", _signed(body + bytes(8))
    yield "header-beyond-end", _signed(_HEADER.pack(b"SECF", version, zero, 2**32 - 1) + body[_HEADER.size :])
    yield "header-not-json", of_header(b"{" + b" " * 99)
    yield "header-not-an-object", of_header(b"null")
    yield "header-without-tables", of_header(b'{"kind":"snapshot","meta":{}}')
    yield "unknown-typecode", of_change({"columns": [["owner", "d", None, ""]]})
    yield "column-beyond-end", of_change({"rows": 2**31 - 1})
    yield "negative-rows", of_change({"rows": -1})
    yield "rows-not-a-number", of_change({"rows": "6"})
    yield "fewer-labels-than-rows", of_change({"labels": {"name": ["one"]}})


def _signed(body: bytes) -> bytes:
    return body + xxhash.xxh3_128_digest(body)


def _version_1() -> bytes:
    """Return a frame in the layout of before 0.2, which Python reads and does not write: columns without a prefix, BLAKE2b."""
    columns = [["id", "q", None], ["owner", "h", "factions"]]
    table = {"rows": 2, "prefix": "F", "columns": columns, "labels": {"name": ["Ä", "b"]}}
    text = json.dumps({"kind": "snapshot", "meta": {"tick": 3}, "tables": {"fleets": table}}).encode()
    start = _HEADER.pack(b"SECF", 1, 0, len(text)) + text
    body = start + bytes(-len(start) % 8) + struct.pack("<qqhh4x", 5, -6, 1, -1)
    return body + blake2b(body, digest_size=_DIGEST_BYTES).digest()


def _frame_json(blob: bytes) -> dict[str, Any]:
    """Return a frame, as Python decodes it, in the shape of the page's `Frame`."""
    frame = decode(blob)
    tables = {
        name: {
            "rows": table.rows,
            "prefix": table.prefix,
            "columns": {
                column_name: {
                    "type": column.typecode,
                    "values": [int(value) for value in column.values],
                    "refersTo": column.refers_to,
                    "prefix": column.prefix,
                }
                for column_name, column in table.columns.items()
            },
            "labels": {label: list(texts) for label, texts in table.labels.items()},
        }
        for name, table in frame.tables.items()
    }
    return {"kind": frame.kind, "id": digest(blob), "meta": frame.meta, "tables": tables}


def _refusal(blob: bytes) -> str:
    """Return why Python refuses a blob."""
    try:
        decode(blob)
    except FrameError as error:
        return error.reason
    raise AssertionError("Python decodes a blob that is damaged")


def _totals_json(snapshot: Frame) -> dict[str, Any]:
    return dict(FactionTotals.from_frame(snapshot, int(str(snapshot.meta["tick"]))).to_json())


def golden_files() -> dict[str, bytes]:
    """Return the golden files by name."""
    files: dict[str, bytes] = {}

    def add(name: str, blob: bytes, expected: object) -> None:
        files[f"{name}.bin"] = blob
        files[f"{name}.json"] = (json.dumps(expected, ensure_ascii=False, indent=1) + "\n").encode()

    for name, frame in _frames():
        blob = encode(frame)
        add(f"frame-{name}", blob, _frame_json(blob))
    add("frame-version-1", _version_1(), _frame_json(_version_1()))
    for name, blob in _damaged():
        add(f"damaged-{name}", blob, {"reason": _refusal(blob)})
    for name, (before, delta) in _DELTAS.items():
        after = apply_delta(before, delta)
        files[f"delta-{name}.before.bin"] = encode(before)
        add(f"delta-{name}", encode(delta), {"after": _frame_json(encode(after)), "totals": _totals_json(after)})
    for name, events in _EVENTS.items():
        add(f"events-{name}", encode(events), event_rows(events))
    for name, moments in _moments():
        expected = [
            {
                "frame": digest(frame),
                "events": digest(events) if events.startswith(b"SECF") else None,
                "atMs": at_ms,
                "epoch": epoch,
            }
            for frame, events, at_ms, epoch in moments
        ]
        blob = b"".join(encode_tick(*moment) for moment in moments)
        add(f"moments-{name}", blob, expected)
    files["moments-tick.deflated"] = deflate(files["moments-tick.bin"])
    return files


def comparable(name: str, content: bytes) -> bytes:
    """Return the content to compare: zlib versions may compress the same bytes differently."""
    return zlib.decompress(content, wbits=-zlib.MAX_WBITS) if name.endswith(".deflated") else content


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the files, and delete obsolete ones."""
    argparse.ArgumentParser(
        prog="./pants run services/viz/tests/page_golden.py --",
        description="Writes the golden files of the unit tests of the page, and deletes obsolete ones.",
        epilog="example: ./pants run services/viz/tests/page_golden.py",
    ).parse_args(arguments)
    FOLDER.mkdir(parents=True, exist_ok=True)
    files = golden_files()
    for path in FOLDER.iterdir():
        if path.name not in files:
            path.unlink()
    for name, content in files.items():
        path = FOLDER / name
        if not path.exists() or comparable(name, path.read_bytes()) != comparable(name, content):
            path.write_bytes(content)


if __name__ == "__main__":
    main()
