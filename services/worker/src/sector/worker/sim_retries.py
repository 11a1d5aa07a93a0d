"""Retries of sims: when a worker tries a sim again that failed."""

import time
from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass

from sector.process import backoff

_FIRST_RETRY_S, _MAX_RETRY_S = 0.5, 30.0


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
