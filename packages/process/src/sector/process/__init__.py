"""The common parts of all processes: settings, health, metrics, logs, an HTTP server, and a graceful shutdown."""

# This import comes first: it removes variables that Sanic and other libraries read when they are imported.
import sector.process.environment  # noqa: F401
from sector.models.deprecated_names import deprecate_modules
from sector.process.app import App, attach, create_app, sample
from sector.process.daemon_thread import start_daemon_thread
from sector.process.health import Health
from sector.process.renamed_settings import EarlierName
from sector.process.retry import backoff, wait_for_stop
from sector.process.server import run
from sector.process.setting_types import (
    HttpUrlSetting,
    LowerCase,
    OperatorPort,
    Port,
    SecretSetting,
    SimIdSetting,
    SimsSetting,
    TokenSetting,
)
from sector.process.settings import Settings, TracedSettings
from sector.process.settings_loader import load

__all__ = [
    "App",
    "EarlierName",
    "Health",
    "HttpUrlSetting",
    "LowerCase",
    "OperatorPort",
    "Port",
    "SecretSetting",
    "Settings",
    "SimIdSetting",
    "SimsSetting",
    "TokenSetting",
    "TracedSettings",
    "attach",
    "backoff",
    "create_app",
    "load",
    "run",
    "sample",
    "start_daemon_thread",
    "wait_for_stop",
]

deprecate_modules(
    {
        f"{__name__}.{earlier}": f"{__name__}.{module}"
        for earlier, module in {
            "backoff": "retry",
            "counting": "deferred_metrics",
            "garbage": "memory",
            "malformed": "rejected_requests",
            "process": "server",
            "requests": "request_metrics",
            "turns": "fair_queue",
            "vitals": "process_metrics",
            "waiting": "retry",
        }.items()
    }
)
