"""Temperaments: how aggressive a puppet is, in numbers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Temperament:
    """The parameters of a temperament, in percent.

    `guard_percent`: the guard of a garrison, as a share of the strongest hostile garrison next to it. `margin_percent`:
    the ships of a strike, as a share of those that it needs to win. `saved_percent`: the share of supply that is saved
    for claims while a system can be claimed.
    """

    guard_percent: int
    margin_percent: int
    saved_percent: int


TEMPERAMENTS = {
    "settler": Temperament(guard_percent=90, margin_percent=130, saved_percent=100),
    "steady": Temperament(guard_percent=60, margin_percent=115, saved_percent=100),
    "raider": Temperament(guard_percent=25, margin_percent=105, saved_percent=50),
}
"""Temperaments by the names of `sector.models.config.Temperament`."""
