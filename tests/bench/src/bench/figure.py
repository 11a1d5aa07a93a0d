"""A figure: a measurement, its baseline, and its goal."""

from collections.abc import Sequence
from dataclasses import dataclass


class MeasurementError(RuntimeError):
    """A requirement is missing, or the measured program failed: there is no figure."""


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` and `baseline` as text with their units; `ratio`: the median over the rounds, from `low` to `high`.

    `goal` is the maximum of the ratio; None if the figure has no goal.
    """

    what: str
    value: str
    baseline: str
    ratio: float
    low: float
    high: float
    goal: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without a goal."""
        return None if self.goal is None else self.ratio <= self.goal


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as a text table."""
    rows = [("figure", "measured", "baseline", "ratio", "range", "goal", "")]
    for each in figures:
        goal = "" if each.goal is None else f"<= {each.goal:g}"
        met = {True: "met", False: "NOT MET", None: ""}[each.met]
        rows.append(
            (each.what, each.value, each.baseline, f"{each.ratio:.3g}", f"{each.low:.3g}-{each.high:.3g}", goal, met)
        )
    return columns(rows)


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as text with aligned columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
