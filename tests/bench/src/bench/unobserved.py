"""A service that counts nothing and knows no sim in its log: what it costs to be observed is measured against it."""

import os
import runpy
import sys

import structlog
from prometheus_client import Counter, Gauge, Histogram


def _nothing(*_: object, **__: object) -> None:
    """Do nothing."""


def main() -> None:
    """Run the module that MODULE names."""
    for kind, name in ((Counter, "inc"), (Gauge, "set"), (Histogram, "observe")):
        setattr(kind, name, _nothing)
    # Services import it by its name, after this.
    structlog.contextvars.bind_contextvars = _nothing  # type: ignore[assignment]  # on purpose
    sys.argv = sys.argv[:1]
    runpy.run_module(os.environ["MODULE"], run_name="__main__")


if __name__ == "__main__":
    main()
