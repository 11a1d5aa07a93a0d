"""The errors of sims, as the condition `sims` reports them."""

from collections.abc import Mapping, Set
from dataclasses import dataclass

from sector.process import Health

SIMS = "sims"
"""The condition of a worker that its sims tick."""


@dataclass(frozen=True, slots=True)
class _SimError:
    """The error of a sim. `cause`: the text of a library, for the log; `blocks`: whether it affects more than this sim, as an error of
    Redis does."""

    text: str
    cause: str
    blocks: bool


class SimErrors:
    """The errors of the sims of a worker. Each change is reported in the condition `sims` of `health`."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._errors: dict[str, _SimError] = {}
        self._stalled: dict[str, _SimError] = {}
        self._ticking: set[str] = set()
        health.set_ok(SIMS)

    @property
    def sim_ids(self) -> Set[str]:
        """The sims that have an error, apart from stalled ones."""
        return self._errors.keys()

    def set_ok(self, sim_id: str, *, ticks_here: bool) -> None:
        """Remove the error of a sim. `ticks_here`: whether this worker ticks it."""
        was_ticking = sim_id in self._ticking
        if ticks_here:
            self._ticking.add(sim_id)
        if self._errors.pop(sim_id, None) is not None or not (was_ticking or not self._errors):
            self._report()

    def set_error(self, sim_id: str, text: str, cause: str = "", *, blocks: bool = False) -> None:
        """Set the error of a sim, which does not tick here then."""
        self._ticking.discard(sim_id)
        self._errors[sim_id] = _SimError(text, cause, blocks)
        self._report()

    def set_stalled(self, errors: Mapping[str, str]) -> None:
        """Set the errors of stalled sims, in place of all earlier ones."""
        stalled = {sim_id: _SimError(text, "", True) for sim_id, text in errors.items()}
        if stalled != self._stalled:
            self._stalled = stalled
            self._report()

    def stop_ticking(self, sim_id: str) -> None:
        """Note that this worker does not tick a sim any more."""
        self._ticking.discard(sim_id)

    def _report(self) -> None:
        """Update the condition. It blocks if no sim ticks here because of errors that affect more than one sim."""
        errors = self._stalled | self._errors
        if not errors:
            self._health.set_ok(SIMS)
            return
        texts = sorted({each.text for each in errors.values()})
        example, error = next(iter(errors.items()))
        is_blocked = self._ticking <= self._stalled.keys() and any(each.blocks for each in errors.values())
        detail = f"{len(errors)} sims, such as {example}"
        self._health.set_error(SIMS, "; ".join(texts), detail, cause=error.cause, blocks=is_blocked)
