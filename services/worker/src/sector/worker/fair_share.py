"""The fair share of a worker: how many sims it should hold. All workers compute it from the same facts, without coordination."""

from collections.abc import Mapping


def fair_share(me: str, held: Mapping[str, int], sims: int) -> int:
    """Return how many of `sims` sims the worker `me` should hold. `held` is how many each worker holds now.

    Shares differ by one at most, and add up to `sims`. The larger shares belong to the workers that hold most, so that few sims move.
    """
    ranking = sorted(held, key=lambda worker: (-held[worker], worker))
    each, remainder = divmod(sims, len(ranking))
    return each + (ranking.index(me) < remainder)
