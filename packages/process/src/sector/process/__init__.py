"""What every process owes its operator: settings that explain themselves, health, and an orderly end."""

# First: it removes variables that Sanic and others read when they are imported.
import sector.process.environment  # noqa: F401
from sector.models.deprecated_names import deprecate_modules
from sector.process.backoff import backoff
from sector.process.daemon_thread import start_daemon_thread
from sector.process.health import Health
from sector.process.process import App, attach, create_app, run, sample
from sector.process.renamed_settings import EarlierName
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
from sector.process.settings import Settings, TracedSettings, load
from sector.process.waiting import wait_for_stop

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
    {f"{__name__}.{earlier}": f"{__name__}.{module}" for earlier, module in {"counting": "deferred_metrics"}.items()}
)
