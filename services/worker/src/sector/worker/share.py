"""Sharing: how many of the sims a worker should hold, from what everybody sees. All come to the same answer by themselves."""

from collections.abc import Mapping


def fair_share(me: str, held: Mapping[str, int], sims: int) -> int:
    """Return how many of `sims` the worker `me` should hold. `held`: what each worker holds now, `me` among them.

    The shares differ by one at most and sum up to `sims`; the larger ones are of those who hold most, so that least is moved.
    """
    order = sorted(held, key=lambda worker: (-held[worker], worker))
    each, left_over = divmod(sims, len(order))
    return each + (order.index(me) < left_over)
