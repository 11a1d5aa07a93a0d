"""Figures as SVG, for documents."""

from io import StringIO

from matplotlib import rc_context
from matplotlib.figure import Figure


def svg(figure: Figure) -> str:
    """Return the SVG with selectable text. Equal figures give equal bytes."""
    svg = StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "sector"}):
        figure.savefig(svg, format="svg", metadata={"Date": None})
    return "".join(f"{line.rstrip()}\n" for line in svg.getvalue().splitlines())
