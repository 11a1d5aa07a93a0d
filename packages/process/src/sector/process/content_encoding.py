"""Content negotiation: selects the content coding of a response (RFC 9110, section 12.5.3)."""

from collections.abc import Sequence
from functools import lru_cache


@lru_cache(maxsize=512)
def negotiate_encoding(accept_encoding: str, offered: Sequence[str]) -> str:
    """Return the coding in `offered` that has the highest weight for the client, or "" for an uncompressed body.

    `offered`: content codings, best compression first. The first of several with equal weights is used. A weight of 0
    forbids a coding.
    """
    weights: dict[str, float] = {}
    for part in accept_encoding.lower().split(","):
        name, _, parameter = part.strip().partition(";")
        try:
            weights[name.strip()] = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            weights[name.strip()] = 0.0
    best, best_weight = "", weights.get("identity", 0.0)
    for coding in offered:
        weight = weights.get(coding, weights.get("*", 0.0))
        if weight > best_weight or (weight == best_weight > 0 and not best):
            best, best_weight = coding, weight
    return best
