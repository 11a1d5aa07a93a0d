"""Deferred metrics: frequent updates are queued and applied in batches.

In a batch the code of the metrics is in the processor cache, which it is not between two requests. The page
docs/project/performance.md has figures.
"""

import asyncio
from collections.abc import Callable

from sector.models.deprecated_names import deprecated_names

_FLUSH_INTERVAL_S = 0.1
_MAX_PENDING = 1024

_pending: list[tuple[Callable[..., object], object]] = []


def defer_metric[T](update: Callable[[T], object], value: T) -> None:
    """Call `update` with `value` within 0.1 s, and before metrics are exported.

    Call this function on the thread of the event loop.
    """
    if not _pending:
        asyncio.get_running_loop().call_later(_FLUSH_INTERVAL_S, flush_metrics)
    _pending.append((update, value))
    if len(_pending) >= _MAX_PENDING:
        flush_metrics()


def flush_metrics() -> None:
    """Apply the queued updates. An update that raises is not retried."""
    batch = _pending[:]
    _pending.clear()
    for update, value in batch:
        update(value)


__getattr__ = deprecated_names(__name__, {"count_soon": "defer_metric", "count_now": "flush_metrics"})
