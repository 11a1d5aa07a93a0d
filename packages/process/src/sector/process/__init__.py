"""What every process owes its operator: settings that explain themselves, health, and an orderly end."""

from sector.process.backoff import backoff
from sector.process.health import Health
from sector.process.process import App, attach, create_app, run, sample
from sector.process.settings import (
    OperatorPort,
    Port,
    RedisUrl,
    Settings,
    SimIdSetting,
    SimsSetting,
    TracedSettings,
    load,
)
from sector.process.waiting import wait_for_stop

__all__ = [
    "App",
    "Health",
    "OperatorPort",
    "Port",
    "RedisUrl",
    "Settings",
    "SimIdSetting",
    "SimsSetting",
    "TracedSettings",
    "attach",
    "backoff",
    "create_app",
    "load",
    "run",
    "sample",
    "wait_for_stop",
]
