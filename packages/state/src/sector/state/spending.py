"""Spending: what clients used of a rate in one process, added up over all processes."""

from collections.abc import Sequence
from hashlib import sha1
from importlib import resources
from typing import NamedTuple

from redis.exceptions import NoScriptError

from sector.state.connect import Client
from sector.state.keys import SimKeys
from sector.state.link import borrowed
from sector.state.replies import as_int, as_list, checked

_SCRIPT = resources.files(__package__ or "").joinpath("spend.lua").read_bytes()
_SHA = sha1(_SCRIPT, usedforsecurity=False).hexdigest()


class Spent(NamedTuple):
    """Units that a client used. `client`: who, such as `reads of address 10.0.0.1`; `per_second`: units it may use."""

    client: str
    per_second: float
    units: float


async def spend(redis: Client, sim_id: str, spent: Sequence[Spent]) -> list[float]:
    """Add up what clients used, under the keys of a sim. Return of each the seconds until all that it used is paid for.

    Raises redis.exceptions.RedisError.
    """
    keys = SimKeys(sim_id)
    names = [keys.rate(each.client) for each in spent]
    words = [word for each in spent for word in (f"{1_000_000 / each.per_second:.3f}", f"{each.units:.3f}")]
    async with borrowed(redis, keys.orders) as link:
        (reply,) = await link.exchange(("EVALSHA", _SHA, len(names), *names, *words))
        if isinstance(reply, NoScriptError):
            (reply,) = await link.exchange(("EVAL", _SCRIPT, len(names), *names, *words))
    (owed,) = checked([reply])
    return [as_int(each) / 1_000_000 for each in as_list(owed)]
