"""A plot of lines on logarithmic axes, as SVG."""

import math
from collections.abc import Mapping, Sequence

_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 720, 420, 80, 40, 170, 50
_COLOURS = ("#3a86ff", "#e4572e", "#2a9d5c", "#9b5de5", "#8a93a6")

type Points = Sequence[tuple[float, float]]


def log_plot(title: str, across: str, up: str, lines: Mapping[str, Points]) -> str:
    """Return the plot. Both axes are logarithmic, with a tick a decade; each line is named at its end."""
    points = [point for each in lines.values() for point in each]
    x_of = _axis([x for x, _ in points], _LEFT, _WIDTH - _RIGHT)
    y_of = _axis([y for _, y in points], _HEIGHT - _BOTTOM, _TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="22" font-size="15">{title}</text>',
        f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 12}" text-anchor="middle">{across}</text>',
        f'<text transform="translate(20 {(_TOP + _HEIGHT - _BOTTOM) / 2}) rotate(-90)" text-anchor="middle">{up}</text>',
    ]
    for decade in _decades([x for x, _ in points]):
        x = x_of(decade)
        parts.append(f'<path d="M{x:.1f} {_TOP}V{_HEIGHT - _BOTTOM}" stroke="#e3e6ec"/>')
        parts.append(f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">{decade:,g}</text>')
    for decade in _decades([y for _, y in points]):
        y = y_of(decade)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#e3e6ec"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{decade:,g}</text>')
    for colour, (name, line) in zip(_COLOURS, lines.items(), strict=False):
        path = "L".join(f"{x_of(x):.1f} {y_of(y):.1f}" for x, y in line)
        x, y = line[-1]
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x_of(a):.1f}" cy="{y_of(b):.1f}" r="3" fill="{colour}"/>' for a, b in line]
        parts.append(f'<text x="{x_of(x) + 9:.1f}" y="{y_of(y) + 4:.1f}" fill="{colour}">{name}</text>')
    return "\n".join([*parts, "</svg>\n"])


def _axis(values: Sequence[float], start: float, stop: float) -> "_Axis":
    low, high = math.log10(min(values)), math.log10(max(values))
    return _Axis(low, (stop - start) / max(high - low, 1e-9), start)


class _Axis:
    def __init__(self, low: float, scale: float, start: float) -> None:
        self._low, self._scale, self._start = low, scale, start

    def __call__(self, value: float) -> float:
        return self._start + (math.log10(value) - self._low) * self._scale


def _decades(values: Sequence[float]) -> list[float]:
    low, high = math.ceil(math.log10(min(values)) - 1e-9), math.floor(math.log10(max(values)) + 1e-9)
    return [10.0**power for power in range(low, high + 1)]
