"""A borrowed connection, on which several commands and their replies take one round trip."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

from sector.state.connect import Client, Cluster
from sector.state.replies import Reply, as_bytes, as_list, checked

type Command = Sequence[str | bytes | int]


class Link:
    """One connection. Its commands go out in one write, and their replies are read in order."""

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection

    async def exchange(self, *commands: Command) -> list[Reply]:
        """Send `commands` in one write; return their replies. An error reply stands in its place, as a ResponseError.

        Raises redis.exceptions.ConnectionError or TimeoutError where the connection breaks: the outcome is unknown then.
        """
        await self._connection.send_packed_command(self._connection.pack_commands(commands))
        return [await self._reply() for _ in commands]

    async def _reply(self) -> Reply:
        try:
            reply: Reply = await self._connection.read_response(disable_decoding=True)
        except ResponseError as error:
            return error
        return reply


@asynccontextmanager
async def borrowed(redis: Client, key: str) -> AsyncIterator[Link]:
    """Lend a connection to the node that holds `key`. It is closed where the block raises: it may be amid a reply."""
    if isinstance(redis, Cluster):
        async with redis.lend(key) as connection:
            yield Link(connection)
        return
    connection = await redis.connection_pool.get_connection()
    try:
        yield Link(connection)
    except BaseException:
        await connection.disconnect(nowait=True)
        raise
    finally:
        await redis.connection_pool.release(connection)


async def call(redis: Client, *command: str | bytes | int) -> Reply:
    """Return the reply to one command, whose first argument is its key. Raises redis.exceptions.RedisError."""
    async with borrowed(redis, str(command[1])) as link:
        (reply,) = checked(await link.exchange(command))
    return reply


async def strings(redis: Client, keys: Sequence[str]) -> list[bytes | None]:
    """Return what lies at each of many keys: one command for all of them, or one a node of a cluster."""
    if not keys:
        return []
    if not isinstance(redis, Cluster):
        async with borrowed(redis, keys[0]) as link:
            (reply,) = checked(await link.exchange(("MGET", *keys)))
        return [as_bytes(value) for value in as_list(reply)]
    found: dict[str, bytes | None] = {}
    for of_node in await redis.by_node(keys):
        async with borrowed(redis, of_node[0]) as link:
            replies = checked(await link.exchange(*(("GET", key) for key in of_node)))
        found.update(zip(of_node, map(as_bytes, replies), strict=True))
    return [found[key] for key in keys]
