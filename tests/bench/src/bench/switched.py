"""A service whose metrics, log context and traces are switched by signals: SIGUSR1 for off, SIGUSR2 for on.

Both are measured in one process: two processes of one program differ by more than that, because of their memory layout.
"""

import importlib
import os
import signal
import sys

from prometheus_client import Counter, Gauge, Histogram
from structlog.contextvars import bind_contextvars

from sector.process.tracing import Traces

SIGNALS = {True: signal.SIGUSR2, False: signal.SIGUSR1}


def main() -> None:
    """Run the service that PART names."""
    program = importlib.import_module(f"{os.environ['PART']}.__main__")
    binding = [
        (module, "bind_contextvars", _nothing)
        for module in list(sys.modules.values())
        if getattr(module, "bind_contextvars", None) is bind_contextvars
    ]
    observing = [
        (owner, name, getattr(owner, name), replacement)
        for owner, name, replacement in (
            (Counter, "inc", _nothing),
            (Gauge, "set", _nothing),
            (Histogram, "observe", _nothing),
            (Traces, "begin", _nothing),
            (Traces, "record", _no_span),
            *binding,
        )
    ]

    def switch(signal_number: int, _: object) -> None:
        for owner, name, original, replacement in observing:
            setattr(owner, name, original if signal_number == SIGNALS[True] else replacement)

    for each in SIGNALS.values():
        signal.signal(each, switch)
    sys.argv = sys.argv[:1]
    program.main()


def _nothing(*_: object, **__: object) -> None:
    """Do nothing."""


def _no_span(*_: object, **__: object) -> str:
    return ""


if __name__ == "__main__":
    main()
