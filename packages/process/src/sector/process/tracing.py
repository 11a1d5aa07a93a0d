"""Traces: which requests are traced. Without a collector, none are.

The optional package sector-tracing creates and sends the spans. It implements the protocols `Span` and `Tracer`.
"""

import asyncio
import importlib
import re
import socket
import sys
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from sector.process.log_stream import print_error
from sector.process.settings import EXIT_WRONG_SETTING, TracedSettings

type Attributes = Mapping[str, str | int | float | bool]

EXTRA = "sector.tracing"
_PARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[01]")
_CLOSE_WITHIN_S = 3.0


class Span(Protocol):
    """An operation with a start and an end."""

    @property
    def traceparent(self) -> str:
        """The traceparent for children of this span, in any process (W3C Trace Context)."""

    def end(self, attributes: Attributes, ended_ns: int | None, error: str = "") -> None:
        """End the span, now or at a time in nanoseconds since 1970. `error`: why the operation failed, or ""."""


class Tracer(Protocol):
    """Creates spans and sends them to a collector."""

    def begin(self, name: str, parent: str, began_ns: int | None, attributes: Attributes) -> Span:
        """Create a span that starts now, or at `began_ns` nanoseconds since 1970.

        `parent`: a traceparent, or "" for a new trace.
        """

    def close(self) -> None:
        """Send the remaining spans."""


class Traces:
    """Creates at most `max_per_second` traces per second, so that their cost is bounded for any clients."""

    def __init__(self, tracer: Tracer | None = None, max_per_second: float = 0.0) -> None:
        self._tracer = tracer
        self._pause_s = 1 / max_per_second if max_per_second else float("inf")
        self._next_s = time.monotonic()

    @classmethod
    def from_settings(cls, settings: TracedSettings, service: str) -> "Traces":
        """Return the traces that the settings configure.

        Exits with code 2 if they need sector-tracing and it is not installed.
        """
        if not settings.traces_url:
            return cls()
        try:
            connect: Callable[[str, str, str], Tracer] = importlib.import_module(EXTRA).connect
        except ImportError as error:
            print_error(
                f"wrong setting TRACES_URL={str(settings.traces_url)!r}: {error.name} is not installed."
                " Leave it out, or: pip install sector-tracing"
            )
            sys.exit(EXIT_WRONG_SETTING)
        return cls(connect(settings.traces_url.text, service, socket.gethostname()), settings.max_traces_per_second)

    def begin(self, name: str, caller: str | None, attributes: Attributes) -> Span | None:
        """Start a span if this request should be traced, otherwise return None.

        `caller`: the traceparent of the caller, or None for a new trace. The result is None above the rate limit, or if
        the caller does not sample its trace.
        """
        if self._tracer is None or (now_s := time.monotonic()) < self._next_s:
            return None
        parent = caller if caller and _PARENT.fullmatch(caller) else ""
        if parent.endswith("0"):
            return None
        self._next_s = max(self._next_s + self._pause_s, now_s - 1.0)
        return self._tracer.begin(name, parent, None, attributes)

    def record(self, name: str, parent: str, began_ns: int, ended_ns: int, attributes: Attributes) -> str:
        """Record an operation that has ended, as a child of `parent`.

        Returns its traceparent, or "" if it is not recorded.

        `began_ns` and `ended_ns`: nanoseconds since 1970.
        """
        if self._tracer is None or not _PARENT.fullmatch(parent):
            return ""
        span = self._tracer.begin(name, parent, began_ns, attributes)
        span.end({}, ended_ns)
        return span.traceparent

    async def close(self) -> None:
        """Send the remaining spans, for at most a few seconds."""
        if self._tracer is not None:
            closing = asyncio.get_running_loop().run_in_executor(None, self._tracer.close)
            await asyncio.wait((closing,), timeout=_CLOSE_WITHIN_S)


def trace_id(traceparent: str) -> str:
    """Return the trace id of a traceparent."""
    return traceparent[3:35]
