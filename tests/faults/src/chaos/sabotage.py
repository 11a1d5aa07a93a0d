"""Workers with a deliberate defect, which the checker must report: `python -m chaos.sabotage` stands in for `sector.worker`.

`SABOTAGE=watch`: no key is watched, so the lease is no fence. `SABOTAGE=cursor`: the cursor moves in a command after EXEC, so an
order may be applied before the cursor has passed it.
"""

import os

from sector.state.redis.command_encoding import Command
from sector.state.redis.connection import Connection
from sector.state.redis.replies import Reply, checked
from sector.state.tick.head import Head
from sector.state.tick.transaction import Ticker
from sector.worker import sim_runner
from sector.worker.__main__ import main


class WithoutWatch[S](Ticker[S]):
    """Commits without WATCH, so concurrent writes are not detected."""

    def _watch(self) -> Command:
        return ("PING",)


class LateCursor[S](Ticker[S]):
    """Applies the orders in one transaction, and moves the cursor in a later command."""

    async def _commit(self, connection: Connection, head: Head, changes: list[Command]) -> None:
        await super()._commit(_ConnectionWithoutCursor(connection, self._keys.head), head, changes)
        checked(await connection.pipeline(("HSET", self._keys.head, "cursor", head.cursor)))


class _ConnectionWithoutCursor(Connection):
    """Sends all fields of a head except the cursor."""

    def __init__(self, connection: Connection, key: str) -> None:
        super().__init__(connection._connection)
        self._key = key

    async def pipeline(self, *commands: Command) -> list[Reply]:
        return await super().pipeline(*(self._without(command) for command in commands))

    def _without(self, command: Command) -> Command:
        if command[0] != "HSET" or command[1] != self._key:
            return command
        pairs = zip(command[2::2], command[3::2], strict=True)
        return (*command[:2], *(part for pair in pairs if pair[0] != "cursor" for part in pair))


SABOTAGES: dict[str, type[Ticker[object]]] = {"watch": WithoutWatch, "cursor": LateCursor}
"""The values of `SABOTAGE`."""

if __name__ == "__main__":
    vars(sim_runner)["Ticker"] = SABOTAGES[os.environ["SABOTAGE"]]
    main()
