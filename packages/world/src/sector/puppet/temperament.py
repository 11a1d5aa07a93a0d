"""Temperaments: how bold a puppet is, in numbers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Temperament:
    """`guard_percent`: the share of the strongest hostile garrison beside it that a garrison keeps at home.

    `margin_percent`: the share of what it takes to win that a strike takes. `saved_percent`: the share of supply kept for
    claims while there is something to claim.
    """

    guard_percent: int
    margin_percent: int
    saved_percent: int


TEMPERAMENTS = {
    "settler": Temperament(guard_percent=90, margin_percent=130, saved_percent=100),
    "steady": Temperament(guard_percent=60, margin_percent=115, saved_percent=100),
    "raider": Temperament(guard_percent=25, margin_percent=105, saved_percent=50),
}
"""By the names that `sector.models.config.Temperament` allows."""
