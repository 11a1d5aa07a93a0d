"""Plots for documents, as SVG."""

from collections.abc import Mapping, Sequence
from textwrap import shorten

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from bench.drawing import svg
from bench.figure import Figure as Measured

_LONGEST = 80

type Points = Sequence[tuple[float, float]]


def log_plot(title: str, across: str, up: str, lines: Mapping[str, Points]) -> str:
    """Return the plot: both axes are logarithmic, and a legend names the lines."""
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    axes = figure.add_subplot(title=title, xlabel=across, ylabel=up, xscale="log", yscale="log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:,g}")
        axis.set_minor_formatter(NullFormatter())
    for name, points in lines.items():
        axes.plot(*zip(*points, strict=True), label=name, marker="o", markersize=4)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return svg(figure)


def goals_plot(title: str, figures: Sequence[Measured]) -> str:
    """Return the distance of figures to their goals: a point for the median, and a line for the range.

    Figures without a goal are omitted.
    """
    judged = [(each, goal) for each in reversed(figures) if (goal := each.goal) is not None]
    figure = Figure(figsize=(11, 1.2 + 0.28 * len(judged)), layout="constrained")
    axes = figure.add_subplot(title=title, xlabel="ratio, as a part of the most that it may be", xscale="log")
    for place, (each, goal) in enumerate(judged):
        colour = "C0" if each.met else "C3"
        axes.plot([each.low / goal, each.high / goal], [place, place], color=colour, linewidth=3, alpha=0.35)
        axes.plot(each.ratio / goal, place, "o", color=colour, markersize=5)
    axes.axvline(1, color="black", linewidth=1)
    named = [f"{each.what}, to {each.baseline.partition(', ')[2]}" for each, _ in judged]
    axes.set_yticks(range(len(judged)), [shorten(name, _LONGEST, placeholder=" …") for name in named])
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right", "left"]].set_visible(False)
    return svg(figure)
