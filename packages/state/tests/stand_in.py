"""A simulated Redis in this process, on which a test executes one command at a time and chooses the next client.

It implements the commands of the lease and the tick transaction. test_stand_in.py compares it with the real server.
"""

import asyncio
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import cast

from hiredis import Reader
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from sector.state.redis.replies import Reply

type Words = list[bytes]
type EntryId = tuple[int, int]

_WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"


@dataclass(slots=True)
class Stream:
    """The entries, oldest first, and the greatest id that was ever used."""

    entries: list[tuple[EntryId, Words]] = field(default_factory=list)
    last: EntryId = (0, 0)


type Value = bytes | dict[bytes, bytes] | Stream


@dataclass(slots=True)
class Session:
    """The state of a connection on the server."""

    watched: dict[bytes, int] = field(default_factory=dict)
    queue: list[Words] | None = None


class Server:
    """Keys, a clock in ms that the test advances, and a version of each key that every change increments."""

    def __init__(self) -> None:
        self.now_ms = 1_000
        self._values: dict[bytes, Value] = {}
        self._until_ms: dict[bytes, int] = {}
        self._versions: dict[bytes, int] = {}
        self._touches = 0

    def client(self) -> "Pool":
        """Return a client with its own connections."""
        return Pool(self)

    def copy(self) -> "Server":
        """Return a copy of the present state, for `restore`."""
        return deepcopy(self)

    def restore(self, other: "Server") -> None:
        """Restore an earlier state, except the clock."""
        copy_ = deepcopy(other)
        self._values, self._until_ms = copy_._values, copy_._until_ms
        self._versions, self._touches = {}, self._touches + 1

    def pass_time(self, ms: int) -> None:
        """Advance the clock and expire keys. As in Redis, expiry counts as a change of a watched key."""
        self.now_ms += ms
        for key in [key for key, until_ms in self._until_ms.items() if until_ms <= self.now_ms]:
            self._remove(key)

    def call(self, *command: str | bytes | int) -> Reply:
        """Execute one command outside of any connection."""
        return self.execute(Session(), as_words(command))

    def execute(self, session: Session, words: Words) -> Reply:
        """Execute one command of a connection. An error is returned, not raised."""
        name, *arguments = words
        match name:
            case b"MULTI":
                session.queue = []
                return b"OK"
            case b"EXEC":
                queue, session.queue = session.queue, None
                watched, session.watched = session.watched, {}
                if any(self._versions.get(key, 0) != version for key, version in watched.items()):
                    return None
                return [self._do(each) for each in queue or []]
            case _ if session.queue is not None:
                session.queue.append(words)
                return b"QUEUED"
            case b"WATCH":
                session.watched = {key: self._versions.get(key, 0) for key in arguments} | session.watched
                return b"OK"
            case b"UNWATCH":
                session.watched = {}
                return b"OK"
            case _:
                return self._do(words)

    def _do(self, words: Words) -> Reply:
        name, *arguments = words
        try:
            done: Reply = getattr(self, f"_{name.decode().lower()}")(*arguments)
        except ResponseError as error:
            return error
        return done

    def _touch(self, key: bytes) -> None:
        self._touches += 1
        self._versions[key] = self._touches

    def _remove(self, key: bytes) -> None:
        del self._values[key]
        self._until_ms.pop(key, None)
        self._touch(key)

    def _at[V: (bytes, dict[bytes, bytes], Stream)](self, key: bytes, kind: type[V]) -> V | None:
        value = self._values.get(key)
        if value is not None and not isinstance(value, kind):
            raise ResponseError(_WRONG_TYPE)
        return value

    def _get(self, key: bytes) -> Reply:
        return self._at(key, bytes)

    def _set(self, key: bytes, value: bytes, *options: bytes) -> Reply:
        if b"NX" in options and key in self._values:
            return None
        self._values[key] = value
        self._until_ms.pop(key, None)
        if b"PX" in options:
            self._until_ms[key] = self.now_ms + int(options[options.index(b"PX") + 1])
        self._touch(key)
        return b"OK"

    def _del(self, *keys: bytes) -> Reply:
        existing = [key for key in dict.fromkeys(keys) if key in self._values]
        for key in existing:
            self._remove(key)
        return len(existing)

    def _pexpire(self, key: bytes, ms: bytes) -> Reply:
        if key not in self._values:
            return 0
        self._until_ms[key] = self.now_ms + int(ms)
        self._touch(key)
        return 1

    def _hget(self, key: bytes, name: bytes) -> Reply:
        return (self._at(key, dict) or {}).get(name)

    def _hmget(self, key: bytes, *names: bytes) -> Reply:
        fields = self._at(key, dict) or {}
        return [fields.get(name) for name in names]

    def _hkeys(self, key: bytes) -> Reply:
        return list(self._at(key, dict) or {})

    def _hset(self, key: bytes, *pairs: bytes) -> Reply:
        fields = self._at(key, dict)
        if fields is None:
            fields = {}
            self._values[key] = fields
        new = dict(zip(pairs[::2], pairs[1::2], strict=True))
        added = len(new.keys() - fields.keys())
        fields |= new
        self._touch(key)
        return added

    def _hdel(self, key: bytes, *names: bytes) -> Reply:
        fields = self._at(key, dict) or {}
        gone = [name for name in set(names) if fields.pop(name, None) is not None]
        if gone:
            self._touch(key)
            if not fields:
                self._remove(key)
        return len(gone)

    def _xadd(self, key: bytes, entry_id: bytes, *fields: bytes) -> Reply:
        stream = self._at(key, Stream) or Stream()
        new = (self.now_ms, 0) if entry_id == b"*" else _entry_id(entry_id)
        if new <= stream.last:
            if entry_id != b"*":
                raise ResponseError("The ID specified in XADD is equal or smaller than the target stream top item")
            new = (stream.last[0], stream.last[1] + 1)
        self._values[key] = stream
        stream.entries.append((new, list(fields)))
        stream.last = new
        self._touch(key)
        return _text(new)

    def _info(self, section: bytes) -> Reply:
        assert section == b"memory"
        return b"# Memory\r\nused_memory:1\r\nmaxmemory:0\r\n"

    def _xlen(self, key: bytes) -> Reply:
        stream = self._at(key, Stream)
        return len(stream.entries) if stream else 0

    def _xrange(self, key: bytes, first: bytes, last: bytes, *count: bytes) -> Reply:
        stream = self._at(key, Stream) or Stream()
        after = _entry_id(first[1:]) if first.startswith(b"(") else None
        least = (0, 0) if first == b"-" or after else _entry_id(first)
        most = (2**63, 0) if last == b"+" else _entry_id(last)
        entries = [each for each in stream.entries if least <= each[0] <= most and (after is None or each[0] > after)]
        reply: list[Reply] = [[_text(entry_id), list[Reply](fields)] for entry_id, fields in entries]
        return reply[: int(count[1])] if count else reply

    def _xtrim(self, key: bytes, _minid: bytes, least: bytes) -> Reply:
        stream = self._at(key, Stream)
        if stream is None:
            return 0
        before = len(stream.entries)
        stream.entries = [each for each in stream.entries if each[0] >= _entry_id(least)]
        if before != len(stream.entries):
            self._touch(key)
        return before - len(stream.entries)


def _entry_id(text: bytes) -> EntryId:
    ms, _, number = text.partition(b"-")
    return int(ms), int(number or 0)


def _text(entry_id: EntryId) -> bytes:
    return f"{entry_id[0]}-{entry_id[1]}".encode()


def as_words(command: Sequence[str | bytes | int]) -> Words:
    return [part if isinstance(part, bytes) else str(part).encode() for part in command]


class SocketConnection:
    """A connection whose commands wait until the test serves them.

    For `sector.state.redis.connection` it looks like one of redis-py.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._session = Session()
        self.inbox: list[Words] = []
        self._replies: list[Reply] = []
        self._waiting: asyncio.Future[None] | None = None
        self.broken = False
        self.socket_timeout: float | None = None  # no limit, because the test decides

    @property
    def waits(self) -> bool:
        """Whether its client waits for a reply."""
        return self._waiting is not None and not self._waiting.done()

    def serve(self) -> None:
        """Execute the next command on the server."""
        self._replies.append(self._server.execute(self._session, self.inbox.pop(0)))
        self._wake()

    def break_off(self, *, deliver: bool) -> None:
        """Break the connection.

        Commands that were not served are lost, or arrive late: `serve` executes them without a reply.
        """
        self.broken = True
        self._replies.clear()
        if not deliver:
            self.inbox.clear()
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def send_packed_command(self, parts: Sequence[bytes], **_: object) -> None:
        if self.broken:
            raise RedisConnectionError("broken")
        # Commands have the format of replies: arrays of strings.
        wire = Reader()
        for part in parts:
            wire.feed(part)
        while (words := wire.gets()) is not False:
            self.inbox.append(words)

    async def read_response(self, **_: object) -> Reply:
        while not self._replies and not self.broken:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        if self.broken:
            raise RedisConnectionError("broken")
        reply = self._replies.pop(0)
        if isinstance(reply, ResponseError):
            raise reply
        return reply

    async def disconnect(self, **_: object) -> None:
        """The client disconnects before it has read all replies. Its commands may still arrive."""
        self.broken = True


class Pool:
    """The connections of one client. Like redis-py, it reuses a free connection."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._free: list[SocketConnection] = []
        self.all: list[SocketConnection] = []

    @property
    def redis(self) -> Redis:
        """The object that `sector.state` uses as a client."""
        return cast(Redis, self)

    @property
    def connection_pool(self) -> "Pool":
        return self

    async def get_connection(self) -> SocketConnection:
        if self._free:
            return self._free.pop()
        connection = SocketConnection(self._server)
        self.all.append(connection)
        return connection

    async def release(self, connection: SocketConnection) -> None:
        if not connection.broken:
            self._free.append(connection)
