"""Traces: which requests are followed on their way, and what is told of them; nothing where no collector is told.

What makes spans is an extra, sector-tracing. A process knows it by these types alone.
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
    """Something that takes time."""

    @property
    def traceparent(self) -> str:
        """What its children are told, in any process (W3C Trace Context)."""

    def end(self, attributes: Attributes, ended_ns: int | None, fault: str = "") -> None:
        """End it, now or at a time, in nanoseconds since 1970."""


class Tracer(Protocol):
    """What begins spans and sends them."""

    def begin(self, name: str, parent: str, began_ns: int | None, attributes: Attributes) -> Span:
        """Begin one, now or at a time."""

    def close(self) -> None:
        """Send what is left."""


class Traces:
    """Begins traces, `a_second` at most: so what they cost is bounded, whatever is asked and by whomever."""

    def __init__(self, tracer: Tracer | None = None, a_second: float = 0.0) -> None:
        self._tracer = tracer
        self._pause_s = 1 / a_second if a_second else float("inf")
        self._next_s = time.monotonic()

    @classmethod
    def of(cls, settings: TracedSettings, service: str) -> "Traces":
        """Return traces as a process is told to make them. Exits with code 2 where it is told to and has not got the extra."""
        if not settings.traces_url:
            return cls()
        try:
            connect: Callable[[str, str, str], Tracer] = importlib.import_module(EXTRA).connect
        except ImportError as error:
            print_error(
                f"wrong setting TRACES_URL={str(settings.traces_url)!r}: {error.name} is not installed, which makes traces."
                " Leave it out, or: pip install sector-tracing"
            )
            sys.exit(EXIT_WRONG_SETTING)
        return cls(connect(settings.traces_url.text, service, socket.gethostname()), settings.max_traces_per_second)

    def begin(self, name: str, caller: str | None, attributes: Attributes) -> Span | None:
        """Begin a span where this request is to be traced: one that goes on from `caller`, a traceparent, or a trace of its own.

        None where it is not: too many are already, or the caller says that it is not to be.
        """
        if self._tracer is None or (now_s := time.monotonic()) < self._next_s:
            return None
        parent = caller if caller and _PARENT.fullmatch(caller) else ""
        if parent.endswith("0"):
            return None
        self._next_s = max(self._next_s + self._pause_s, now_s - 1.0)
        return self._tracer.begin(name, parent, None, attributes)

    def note(self, name: str, parent: str, began_ns: int, ended_ns: int, attributes: Attributes) -> str:
        """Tell of something that is over, and that belongs to `parent`; returns its traceparent, or nothing where none is told."""
        if self._tracer is None or not _PARENT.fullmatch(parent):
            return ""
        span = self._tracer.begin(name, parent, began_ns, attributes)
        span.end({}, ended_ns)
        return span.traceparent

    async def close(self) -> None:
        """Send what is left, for some seconds at most."""
        if self._tracer is not None:
            closing = asyncio.get_running_loop().run_in_executor(None, self._tracer.close)
            await asyncio.wait((closing,), timeout=_CLOSE_WITHIN_S)


def trace_id(traceparent: str) -> str:
    """Return the trace in a traceparent: what one looks for at a collector."""
    return traceparent[3:35]
