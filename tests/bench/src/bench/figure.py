"""A figure: something measured, what it is measured against, and whether that is good enough."""

from collections.abc import Sequence
from dataclasses import dataclass


class MeasurementError(RuntimeError):
    """Something was not there, or did not do what is measured: there is no figure."""


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` and `baseline` as text with their units; `ratio`: the median over the rounds, from `low` to `high`.

    `goal`: the most that the ratio may be, or None where it only informs.
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
        """Whether the goal is met; None without one."""
        return None if self.goal is None else self.ratio <= self.goal


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as a table of text."""
    rows = [("figure", "measured", "baseline", "ratio", "range", "goal", "")]
    for each in figures:
        goal = "" if each.goal is None else f"<= {each.goal:g}"
        met = {True: "met", False: "NOT MET", None: ""}[each.met]
        rows.append(
            (each.what, each.value, each.baseline, f"{each.ratio:.3g}", f"{each.low:.3g}-{each.high:.3g}", goal, met)
        )
    return columns(rows)


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as text, their cells one below the other."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
