"""What can go wrong with the state of a sim. What goes wrong with Redis itself stays a `redis.exceptions.RedisError`."""


class StateError(Exception):
    """The state in Redis is not as it must be, or not ours to change."""


class SimNotFound(StateError):
    """There is no such sim (yet)."""

    def __init__(self, sim_id: str) -> None:
        super().__init__(f"there is no sim {sim_id!r}")
        self.sim_id = sim_id


class LeaseLost(StateError):
    """The lease is another worker's, or nobody's: what was computed under it must not be written."""

    def __init__(self, sim_id: str, holder: str | None) -> None:
        super().__init__(f"the lease of sim {sim_id!r} is {f'held by {holder}' if holder else 'held by nobody'}")
        self.sim_id = sim_id
        self.holder = holder


class CommitConflict(StateError):
    """Lease or head changed between reading and EXEC, so nothing was written. Read again and start over."""

    def __init__(self, sim_id: str, tick: int) -> None:
        super().__init__(f"tick {tick} of sim {sim_id!r} was not committed: lease or head changed meanwhile")
        self.sim_id = sim_id
        self.tick = tick


class HistoryRewound(StateError):
    """The sim is at an earlier tick than was seen of it: Redis lost what it had not yet kept, or the sim was founded anew."""

    def __init__(self, sim_id: str, seen: int, found: int) -> None:
        super().__init__(f"sim {sim_id!r} was seen at tick {seen} and is now at tick {found}")
        self.sim_id = sim_id
        self.seen = seen
        self.found = found


class HistoryGone(StateError):
    """The history of a sim has a gap at `tick`: it is kept no longer, or never was."""

    def __init__(self, sim_id: str, tick: int) -> None:
        super().__init__(f"tick {tick} of sim {sim_id!r} is not in its history (any more)")
        self.sim_id = sim_id
        self.tick = tick
