"""Compares the figures of this run with those of an earlier one, ratio by ratio."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.figure import Figure, columns

_APART = 0.05


class InvalidFiguresError(ValueError):
    """A file without figures of a bench."""


class Change(NamedTuple):
    """A figure, before and now. `verdict` says whether it is slower or faster beyond noise; empty if it is neither."""

    what: str
    then: Figure | None
    now: Figure | None

    @property
    def verdict(self) -> str:
        if self.then is None:
            return "new"
        if self.now is None:
            return "not measured"
        if self.now.low > self.then.high and self.now.ratio > self.then.ratio * (1 + _APART):
            return "SLOWER"
        if self.now.high < self.then.low and self.now.ratio < self.then.ratio * (1 - _APART):
            return "faster"
        return ""


def read(path: Path) -> list[Figure]:
    """Return the figures that `--json` wrote. Raises InvalidFiguresError, with the reason."""
    try:
        return [Figure(**each) for each in json.loads(path.read_text())["figures"]]
    except OSError as error:
        raise InvalidFiguresError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidFiguresError(f"{path} holds no figures of a bench: {error!r}") from error


def changes(then: Sequence[Figure], now: Sequence[Figure]) -> list[Change]:
    """Return each current figure, and the missing ones of its suites. A name ends before its bracket."""
    before, after = _named(then), _named(now)
    suites = {name.partition(":")[0] for name, _ in after}
    gone = {key: None for key in before if key not in after and key[0].partition(":")[0] in suites}
    return [
        Change(name, before.get((name, against)), after.get((name, against))) for name, against in {**after, **gone}
    ]


def _named(figures: Sequence[Figure]) -> Mapping[tuple[str, str], Figure]:
    return {(each.what.partition(" (")[0], each.baseline.partition(", ")[2]): each for each in figures}


def comparison_table(differences: Sequence[Change]) -> str:
    """Return the comparison as a text table."""
    rows = [("figure", "ratio then", "range", "ratio now", "range", "change", "")]
    for what, then, now in differences:
        change = f"{(now.ratio / then.ratio - 1) * 100:+.0f} %" if then and now else ""
        rows.append((what, *_shown(then), *_shown(now), change, Change(what, then, now).verdict))
    return columns(rows)


def _shown(figure: Figure | None) -> tuple[str, str]:
    return ("", "") if figure is None else (f"{figure.ratio:.3g}", f"{figure.low:.3g}-{figure.high:.3g}")
