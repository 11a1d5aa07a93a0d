"""Figures as SVG, for documents."""

from io import StringIO

from matplotlib import rc_context
from matplotlib.figure import Figure


def svg(figure: Figure) -> str:
    """Return it with its text as text; the same figure is the same bytes each time."""
    svg = StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "sector"}):
        figure.savefig(svg, format="svg", metadata={"Date": None})
    return "".join(f"{line.rstrip()}\n" for line in svg.getvalue().splitlines())
