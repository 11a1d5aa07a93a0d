"""A plot of a soak test: latency and memory over time, with the fault windows in the background."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.drawing import svg
from soak.memory import MemorySamples
from soak.report import P99_S, Report, Window, p99
from soak.users import Sample

_BIN_S = 15.0
_ROLES = ("api", "bot", "viz", "worker")
_GRID, _WINDOW = 0.3, "#e4572e"


def picture(report: Report) -> str:
    """Return the plot as SVG."""
    figure = Figure(figsize=(10, 7), layout="constrained")
    took, held = figure.subplots(2, sharex=True)
    _draw_latency(took, report.log.samples, report.start_s)
    _draw_memory(held, report.held)
    for axes in (took, held):
        _draw_windows(axes, report.windows, report.start_s)
        axes.grid(alpha=_GRID)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    held.set(xlim=(0, report.seconds / 60), ylim=(0, None), xlabel="minutes")
    return svg(figure)


def _draw_latency(axes: Axes, samples: Sequence[Sample], start_s: float) -> None:
    axes.set(title=f"99 of 100 took at most, each {_BIN_S:g} s", ylabel="ms", yscale="log")
    axes.yaxis.set_major_formatter("{x:,g}")
    for kind in P99_S:
        binned = list(_binned([each for each in samples if each.kind == kind], start_s))
        axes.plot([at_s / 60 for at_s, _ in binned], [took_s * 1000 for _, took_s in binned], label=kind, linewidth=1)


def _binned(samples: Sequence[Sample], start_s: float) -> Iterator[tuple[float, float]]:
    """Yield the middle of each bin in seconds since the start, and the p99 of the samples that began in it."""
    in_order = sorted(samples, key=lambda each: each.at_s)
    for number, each in groupby(in_order, key=lambda sample: (sample.at_s - start_s) // _BIN_S):
        yield (number + 0.5) * _BIN_S, p99([sample.took_s for sample in each])


def _draw_memory(axes: Axes, held: MemorySamples) -> None:
    axes.set(title="Resident memory per process; a restarted process has its own line", ylabel="MB")
    colours: Mapping[str, str] = {role: f"C{number}" for number, role in enumerate(_ROLES)}
    labelled: set[str] = set()
    for (name, _), points in sorted(held.by_process.items()):
        role = name.partition("-")[0]
        axes.plot(
            [at_s / 60 for at_s, _ in points],
            [size for _, size in points],
            color=colours[role],
            linewidth=1,
            label=f"_{name}" if role in labelled else role,
        )
        labelled.add(role)


def _draw_windows(axes: Axes, windows: Sequence[Window], start_s: float) -> None:
    for number, (began_s, ended_s) in enumerate(windows):
        axes.axvspan(
            (began_s - start_s) / 60,
            (ended_s - start_s) / 60,
            color=_WINDOW,
            alpha=0.12,
            linewidth=0,
            label="_fault" if number else "fault",
        )
