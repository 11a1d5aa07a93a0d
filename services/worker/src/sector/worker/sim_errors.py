"""The errors of sims: what the condition `sims` reports, and when a sim that failed is tried again."""

import time
from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass

from sector.process import Health, backoff

SIMS = "sims"
"""Condition of a worker: its sims tick."""
_FIRST_RETRY_S, _MAX_RETRY_S = 0.5, 30.0


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


@dataclass(slots=True)
class _Retry:
    """When a sim that failed is tried again, on the monotonic clock in seconds, and the pauses after that."""

    pauses: Iterator[float]
    due_s: float = 0.0


class SimRetries:
    """When sims that failed are tried again: after 0.5 s, and after up to 30 s if they fail repeatedly."""

    def __init__(self) -> None:
        self._retries: dict[str, _Retry] = {}

    @property
    def sim_ids(self) -> Set[str]:
        """The sims that failed."""
        return self._retries.keys()

    def schedule(self, sim_id: str) -> None:
        """Schedule the next attempt of a sim that failed."""
        retry = self._retries.setdefault(sim_id, _Retry(backoff(first_s=_FIRST_RETRY_S, max_s=_MAX_RETRY_S)))
        retry.due_s = time.monotonic() + next(retry.pauses)

    def pending(self) -> Set[str]:
        """Return the sims whose next attempt is not due yet."""
        now_s = time.monotonic()
        return {sim_id for sim_id, retry in self._retries.items() if retry.due_s > now_s}

    def cancel(self, sim_id: str) -> None:
        """Forget the failures of a sim."""
        self._retries.pop(sim_id, None)

    def cancel_obsolete(self, holders: Mapping[str, str | None], own: Collection[str]) -> None:
        """Forget the failures of sims that are deleted, and of those that another worker ticks when they are due. `own`: run here."""
        pending = self.pending()
        for sim_id in list(self._retries):
            is_elsewhere = sim_id not in pending and holders.get(sim_id) is not None and sim_id not in own
            if sim_id not in holders or is_elsewhere:
                del self._retries[sim_id]
