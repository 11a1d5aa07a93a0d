"""SVG images of maps. Lanes are lines, systems are discs whose size shows their growth, and homes have a ring."""

from typing import TYPE_CHECKING

from sector.models.deprecated_names import deprecated_names
from sector.world.galaxy import Galaxy
from sector.world.state import PALETTE

_MARGIN = 6


def render_svg(galaxy: Galaxy) -> str:
    """Return the map as the text of an SVG document."""
    x, y = galaxy.x.tolist(), galaxy.y.tolist()
    left, top = min(x) - _MARGIN, min(y) - _MARGIN
    width, height = max(x) - left + _MARGIN, max(y) - top + _MARGIN
    lanes = "".join(
        f"M{x[a]} {y[a]}L{x[b]} {y[b]}" for a, b in zip(galaxy.lane_a.tolist(), galaxy.lane_b.tolist(), strict=True)
    )
    systems = [
        f'<circle cx="{x[row]}" cy="{y[row]}" r="{0.7 + 0.25 * growth:.2f}"><title>S{row} {name}</title></circle>'
        for row, (name, growth) in enumerate(zip(galaxy.names, galaxy.growth.tolist(), strict=True))
    ]
    homes = [
        f'<circle cx="{x[row]}" cy="{y[row]}" r="3" stroke="{PALETTE[place % len(PALETTE)]}"/>'
        for place, row in enumerate(galaxy.home.tolist())
    ]
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{left} {top} {width} {height}">',
            f'<path d="{lanes}" stroke="#8a93a6" stroke-width="0.35"/>',
            '<g fill="#5b6478">',
            *systems,
            '</g>\n<g fill="none" stroke-width="0.8">',
            *homes,
            "</g>\n</svg>",
        )
    )


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(__name__, {"drawing": "render_svg"})
