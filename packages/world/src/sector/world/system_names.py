"""Names for systems: pronounceable and unique."""

import math
from typing import TYPE_CHECKING

from sector.models.deprecated_names import deprecated_names
from sector.world import rng

_ONSETS = ("b", "c", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z")
_VOWELS = ("a", "e", "i", "o", "u")
_ENDINGS = ("n", "r", "s", "th", "l", "x", "ra", "na", "dor", "lis")
_SYLLABLES = tuple(onset + vowel for onset in _ONSETS for vowel in _VOWELS)
_STREAM = 5


def generate_names(seed: int, count: int) -> tuple[str, ...]:
    """Return `count` unique names, up to 64 million. The same seed gives the same names."""
    syllables = 1
    while len(_SYLLABLES) ** syllables * len(_ENDINGS) < count * 4:
        syllables += 1
    total = len(_SYLLABLES) ** syllables * len(_ENDINGS)
    start, step = (int(n) for n in rng.integers(seed, _STREAM, 2, min(total, 2**31 - 1)))
    while math.gcd(step, total) != 1:
        step += 1
    # start + i * step reaches each number of [0, total) once before it repeats, so no name occurs twice.
    return tuple(_name((start + i * step) % total, syllables) for i in range(count))


def _name(number: int, syllables: int) -> str:
    number, ending = divmod(number, len(_ENDINGS))
    parts: list[str] = []
    for _ in range(syllables):
        number, syllable = divmod(number, len(_SYLLABLES))
        parts.append(_SYLLABLES[syllable])
    return ("".join(parts) + _ENDINGS[ending]).capitalize()


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(__name__, {"names": "generate_names"})
