"""Environments that a service is started in: what its settings, its log and its machine may look like."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Environment:
    """`settings` are added to the environment of every service. `log`: a name in `fixtures.broken_logs`, where the log takes nothing."""

    name: str
    settings: Mapping[str, str] = field(default_factory=dict)
    log: str = ""


ENVIRONMENTS = (
    Environment("a stalled reader of the log", log="full pipe"),
    Environment("a full disk for the log", log="full disk"),
    Environment("a closed log, and all is logged", {"LOG_LEVEL": "debug", "ACCESS_LOG": "all"}, log="closed pipe"),
)
"""In each of them a world plays."""
