"""A file that an operator was given: it is imported with `sector-state import`, and what comes of it is read by every process."""

import asyncio
import itertools
import os
import struct
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from copy import replace

import httpx
import xxhash

from fixtures import archives
from fixtures.archives import replace_meta, replace_record
from fixtures.processes import environment, tick_of
from hostile.attempt import Attempt, TargetWorld
from sector.models.archive import MAGIC, Founding, Keyframe, Record, TickEntry
from sector.models.frame import Frame, encode
from sector.state.redis.client import connect
from sector.state.sims import lifecycle
from sector.state.sims.importer import import_sim

_FOR_S = 4.0
_MEMORY_KIB = 1_500_000
"""Of the command: what it imports has some kilobytes."""
_MANY = 20
_numbers = itertools.count()

_RECORDS = archives.record_world()
_FOUNDING, _KEYFRAME, _TICK = _RECORDS[0], _RECORDS[1], _RECORDS[2]
assert isinstance(_FOUNDING, Founding)
assert isinstance(_KEYFRAME, Keyframe)
assert isinstance(_TICK, TickEntry)

_SNAPSHOT = _KEYFRAME.snapshot

type Act = Callable[[TargetWorld], Awaitable[None]]


async def _run(target: TargetWorld, *command: str) -> tuple[int, str]:
    """Run a command with little memory; returns its exit status and what it printed."""
    # Elsewhere in the field: it takes no processor from the world.
    line = f'ulimit -v {_MEMORY_KIB}; exec nice -n 19 "$0" "$@"'
    settings = environment() | {"OPENBLAS_NUM_THREADS": "1", "PATH": os.environ["PATH"]}
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", line, sys.executable, "-m", *command,
        env=settings, cwd=target.folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


def _refused(blob: bytes, reason: str) -> Act:
    """Import and replay a file: both say where it lies, in printable text, and nothing of it is left in Redis."""

    async def act(target: TargetWorld) -> None:
        path = target.folder / "hostile.sim"
        path.write_bytes(blob)
        before = await target.redis.dbsize()
        url = target.user_url("operator")
        imported = await _run(target, "sector.state", "import", path.name, "hostile", "--redis-url", url)
        replayed = await _run(target, "sector.world.replay", path.name)
        assert (imported[0], replayed[0]) == (1, 2), (imported, replayed)
        for _, printed in (imported, replayed):
            assert reason in printed
            assert printed.replace("\n", "").isprintable()
        assert "hostile" not in await lifecycle.list_ids(target.redis)
        assert await target.redis.dbsize() - before < 1_000, "idempotency keys come and go, and nothing else does"
        assert not [key async for key in target.redis.scan_iter("sim:{hostile}:*")]

    return act


def _lies(records: list[Record], reason: str) -> Act:
    return _refused(archives.encode_records(records), reason)


def _believed(records: list[Record], statuses: frozenset[int], count: int = 1) -> Act:
    """Import what no validation can refuse, and have every process read it: it is answered, and the world goes on."""

    async def act(target: TargetWorld) -> None:
        # For a moment processes remember of an id that its sim was removed.
        names = [f"hostile-{next(_numbers)}" for _ in range(count)]
        redis = connect(target.user_url("operator"))
        async with AsyncExitStack() as stack:
            stack.push_async_callback(redis.aclose)
            for name in names:
                await import_sim(redis, name, iter(records))
                stack.push_async_callback(lifecycle.delete, redis, name)
            tick = tick_of(await _health(target))
            async with asyncio.timeout(60), httpx.AsyncClient(timeout=20) as client:
                ends_s = asyncio.get_running_loop().time() + _FOR_S
                while asyncio.get_running_loop().time() < ends_s or tick_of(await _health(target)) <= tick:
                    for name in names:
                        await _read(client, target, name, statuses)
                    assert (await _health(target))["ready"]

    return act


async def _health(target: TargetWorld) -> dict[str, object]:
    answer = await asyncio.to_thread(target.worker.health)
    assert answer is not None
    health: dict[str, object] = answer.json()
    return health


async def _read(client: httpx.AsyncClient, target: TargetWorld, name: str, statuses: frozenset[int]) -> None:
    """Read all that there is of a sim, from API and viz. Too many requests may be refused."""
    for path in ("snapshot", "snapshot?format=columns", "map", "events"):
        answer = await client.get(f"{target.api.url}/sims/{name}/{path}")
        assert answer.status_code in statuses | {429}, f"{path}: {answer.text}"
    for path in ("timeline", "state?tick=0", "ticks?after=0"):
        answer = await client.get(f"{target.viz.url}/sims/{name}/{path}")
        assert answer.status_code in statuses | {404, 429}, answer.text


def _many_values() -> bytes:
    """Return an archive whose header has as many lists as 16 MiB hold."""
    item = b'["","",true,0],'
    text = b'{"kind":"tick","orders":[' + item * ((2**24 - 100) // len(item)) + b"0]}"
    return _record(text)


def _record(text: bytes, claimed_bytes: int = -1) -> bytes:
    length = len(text) if claimed_bytes < 0 else claimed_bytes
    return MAGIC + struct.pack("<IQ", length, 0) + text + xxhash.xxh3_64(text).digest()


def _far(tick: int) -> list[Record]:
    """Return a sim at a tick that the rules refuse, and no validation of an archive knows."""
    return [_RECORDS[0], Keyframe(tick, "0-0", replace_meta(_SNAPSHOT, tick=tick))]


def _bare() -> list[Record]:
    """Return a sim whose state has no tables: another world may have none."""
    snapshot = encode(Frame("snapshot", {"tick": 0, "status": "running"}, {}))
    return replace_record(replace_record(_RECORDS, 0, map=encode(Frame("map", {}, {}))), 1, snapshot=snapshot)[:2]


_READ = frozenset({200})
_READ_OR_NOT = frozenset({200, 503})
_LAST_ID = "18446744073709551615-18446744073709551615"
_ESCAPES = "\x1b]0;pwned\x07"
_BACKWARDS = (replace(_TICK.orders[0], id="5-0"),)

ATTEMPTS = (
    Attempt("a keyframe of tick 2**62", _lies(replace_record(_RECORDS, 1, tick=2**62), "keyframe.tick")),
    Attempt("a keyframe of tick -7", _lies(replace_record(_RECORDS, 1, tick=-7), "keyframe.tick")),
    Attempt(
        "a keyframe of another tick", _lies(replace_record(_RECORDS, 1, tick=5), "the record is of tick 5; it is 0")
    ),
    Attempt("a cursor that is no id", _lies(replace_record(_RECORDS, 1, cursor="x"), "keyframe.cursor")),
    Attempt("a cursor at the end of all ids", _lies(replace_record(_RECORDS, 1, cursor=_LAST_ID), "keyframe.cursor")),
    Attempt("a time of 2**62 ms", _lies(replace_record(_RECORDS, 2, at_ms=2**62), "tick.at_ms")),
    Attempt(
        "a map that is a snapshot",
        _lies(replace_record(_RECORDS, 0, map=_KEYFRAME.snapshot), "it is not of the kind map"),
    ),
    Attempt("a hash that sets the title of a terminal", _lies(replace_record(_RECORDS, 2, hash=_ESCAPES), "tick.hash")),
    Attempt(
        "events that begin a line",
        _lies(replace_record(_RECORDS, 2, events=b'[{"type":"a\\nb"}]'), "an event has the invalid type"),
    ),
    Attempt(
        "orders that go back", _lies(replace_record(_RECORDS, 3, orders=_BACKWARDS), "it does not come after 1001-0")
    ),
    Attempt("a header of a million lists", _refused(_many_values(), "more than 200000 strings and values")),
    Attempt("a header of 4 GiB", _refused(_record(b"{}", 2**32 - 1), "its header has 4294967295 bytes")),
    Attempt("a tick that the rules refuse", _believed(_far(2**52), _READ_OR_NOT)),
    Attempt("the last tick of all", _believed(_far(2**53 - 1), _READ_OR_NOT)),
    Attempt("a state without tables", _believed(_bare(), _READ_OR_NOT)),
    Attempt("many sims that no worker can tick", _believed(_bare(), _READ_OR_NOT, _MANY)),
    Attempt("a sim that is sound", _believed(_RECORDS, _READ)),
)
