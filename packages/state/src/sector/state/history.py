"""History: a sim as it was at any tick that is kept: the keyframe before it, and the deltas since. No rule is needed."""

from dataclasses import dataclass

from sector.models.delta import DeltaError, apply_delta
from sector.models.frame import Frame, FrameError, decode, digest, encode
from sector.state.connect import Client
from sector.state.errors import HistoryBroken, HistoryGone, SimNotFound
from sector.state.head import FIELDS, Head
from sector.state.keys import SimKeys
from sector.state.link import borrowed, call
from sector.state.replies import Reply, as_bytes, as_entry, as_list, checked

_PAGE = 100


@dataclass(frozen=True, slots=True)
class Past:
    """A sim at one tick. `snapshot` is its bytes, `frame` the same decoded; `cursor`: id of the last order applied."""

    tick: int
    cursor: str
    hash: str
    snapshot: bytes
    frame: Frame


@dataclass(frozen=True, slots=True)
class Kept:
    """Which ticks are kept: every one from `first` to the head, and the keyframes among them."""

    head: Head
    keyframes: tuple[int, ...]

    @property
    def first(self) -> int:
        return self.keyframes[0]


async def kept(redis: Client, sim_id: str) -> Kept:
    """Look how far the history reaches. Raises SimNotFound, redis.exceptions.RedisError."""
    keys = SimKeys(sim_id)
    async with borrowed(redis, keys.head) as link:
        fields, names = checked(await link.exchange(("HMGET", keys.head, *FIELDS), ("HKEYS", keys.keyframes)))
    head = Head.parse(as_list(fields))
    ticks = sorted(int(name) for each in as_list(names) if (name := as_bytes(each) or b"").isdigit())
    if head is None or not ticks:
        raise SimNotFound(sim_id)
    return Kept(head, tuple(ticks))


async def at_tick(redis: Client, sim_id: str, tick: int) -> Past:
    """Return the sim as it was at `tick`, held against the state hash recorded then.

    Raises SimNotFound, HistoryGone where that tick is not kept (any more, or not yet), HistoryBroken, redis.exceptions.RedisError.
    """
    there = await kept(redis, sim_id)
    before = max((each for each in there.keyframes if each <= tick), default=None)
    if before is None or tick > there.head.tick:
        raise HistoryGone(sim_id, tick)
    past = await _keyframe(redis, sim_id, before)
    try:
        return await _forward(redis, sim_id, past, tick)
    except (FrameError, DeltaError) as error:
        raise HistoryBroken(sim_id, tick, str(error)) from error


async def _keyframe(redis: Client, sim_id: str, tick: int) -> Past:
    keys = SimKeys(sim_id)
    found = await call(redis, "HMGET", keys.keyframes, str(tick), f"{tick}:cursor")
    snapshot, cursor = (as_bytes(value) for value in as_list(found))
    if snapshot is None or cursor is None:
        raise HistoryGone(sim_id, tick)
    try:
        return Past(tick, cursor.decode(), digest(snapshot), snapshot, decode(snapshot))
    except FrameError as error:
        raise HistoryBroken(sim_id, tick, str(error)) from error


async def _forward(redis: Client, sim_id: str, past: Past, tick: int) -> Past:
    """Return the state at `tick` by the deltas after `past`."""
    keys, frame, now, cursor, state_hash = SimKeys(sim_id), past.frame, past.tick, past.cursor, past.hash
    while now < tick:
        page = as_list(await call(redis, "XRANGE", keys.events, f"({now}-0", f"{tick}-0", "COUNT", _PAGE))
        if not page:
            raise HistoryGone(sim_id, now + 1)
        for entry in page:
            at, fields = _tick_of(entry)
            if at != now + 1:
                raise HistoryGone(sim_id, now + 1)
            frame, now = apply_delta(frame, decode(fields[b"delta"])), at
            cursor, state_hash = fields[b"cursor"].decode(), fields[b"hash"].decode()
    snapshot = past.snapshot if now == past.tick else encode(frame)
    if digest(snapshot) != state_hash:
        raise HistoryBroken(sim_id, tick, f"its state has the hash {digest(snapshot)}, and {state_hash} was recorded")
    return Past(now, cursor, state_hash, snapshot, frame)


def _tick_of(entry: Reply) -> tuple[int, dict[bytes, bytes]]:
    entry_id, fields = as_entry(entry)
    return int(entry_id.partition("-")[0]), fields
