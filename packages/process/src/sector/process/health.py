"""Health: what this process depends on, and whether it is there. It is logged once per change, not once per retry."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from pydantic import JsonValue
from sanic import Blueprint, HTTPResponse, Request, json

log = logging.getLogger(__name__)


class Health:
    """Named conditions, each either well or with its fault in words.

    Ready means: all that were declared are well, but for faults that are only reported, since other work goes on.
    """

    def __init__(self, service: str, *conditions: str) -> None:
        self.service = service
        self._faults: dict[str, str | None] = dict.fromkeys(conditions, "not checked yet")
        self._details: dict[str, str] = {}
        self._reported: set[str] = set()
        self._since: dict[str, float] = dict.fromkeys(conditions, time.time())
        self._stopping = False

    @property
    def ready(self) -> bool:
        return not (self._stopping or any(fault for name, fault in self._faults.items() if name not in self._reported))

    @property
    def faults(self) -> Mapping[str, str | None]:
        """What is wrong with each condition, in words; None where it holds."""
        return self._faults

    def stopping(self) -> None:
        """Note that this process is about to end: it is not ready any more, whatever holds."""
        self._stopping = True

    def well(self, condition: str, detail: str = "") -> None:
        """Note that a condition holds."""
        if self._change(condition, None):
            log.info("%s: ok%s", condition, f" ({detail})" if detail else "")

    def fault(self, condition: str, fault: str, detail: str = "", *, cause: str = "", blocks: bool = True) -> None:
        """Note that a condition does not hold, and why. `detail` may differ at each retry: it is no change by itself.

        `cause`: what a library says of it, for the log alone: /health has no foreign text. `blocks`: whether the process is not ready
        because of it.
        """
        self._details[condition] = detail
        changed = (condition in self._reported) is blocks
        if blocks:
            self._reported.discard(condition)
        else:
            self._reported.add(condition)
        if self._change(condition, fault) or changed:
            what = "not ready, retrying" if blocks else "retrying"
            more = "; ".join(each for each in (detail, cause) if each)
            log.warning("%s: %s%s; %s", condition, fault, f" ({more})" if more else "", what)

    def note(self, condition: str, fault: tuple[str, str] | None, detail: str = "", *, blocks: bool = True) -> None:
        """Note that a condition holds, or its fault in words and the cause, which is for the log alone."""
        if fault is None:
            self.well(condition)
        else:
            words, cause = fault
            self.fault(condition, words, detail, cause=cause, blocks=blocks)

    def _change(self, condition: str, fault: str | None) -> bool:
        if self._faults.get(condition, "") == fault:
            return False
        self._faults[condition] = fault
        self._since[condition] = time.time()
        return True

    def report(self) -> dict[str, JsonValue]:
        """Return the conditions as `/health` shows them."""
        conditions: dict[str, JsonValue] = {
            name: {"ok": fault is None, "since_ms": int(self._since[name] * 1000)} | self._said(name, fault)
            for name, fault in self._faults.items()
        }
        stopping: dict[str, JsonValue] = {"stopping": True} if self._stopping else {}
        return {"service": self.service, "ready": self.ready, **stopping, "conditions": conditions}

    def _said(self, condition: str, fault: str | None) -> dict[str, JsonValue]:
        if fault is None:
            return {}
        told: dict[str, JsonValue] = {"fault": fault, "blocks": condition not in self._reported}
        detail = self._details.get(condition)
        return told | {"detail": detail} if detail else told


type Details = Callable[[], Awaitable[dict[str, JsonValue]]]
type HeadersOf = Callable[[Request], dict[str, str]]


def endpoints(health: Health, details: Details | None = None, headers_of: HeadersOf = lambda _: {}) -> Blueprint:
    """Return `/health` (everything, for operators), `/health/live` (the process answers) and `/health/ready` (it can do its work)."""
    routes = _probes(health, health.report, headers_of)

    @routes.get("/")
    async def everything(request: Request) -> HTTPResponse:
        more = await details() if details else {}
        return json(health.report() | more, status=200 if health.ready else 503, headers=headers_of(request))

    return routes


def public_endpoints(health: Health, headers_of: HeadersOf = lambda _: {}) -> Blueprint:
    """Return `/health/live` and `/health/ready` for a public port: they say yes or no, and nothing about Redis."""

    def report() -> dict[str, JsonValue]:
        return {"service": health.service, "ready": health.ready}

    return _probes(health, report, headers_of)


def _probes(health: Health, report: Callable[[], dict[str, JsonValue]], headers_of: HeadersOf) -> Blueprint:
    routes = Blueprint("health", url_prefix="/health")

    @routes.get("/live")
    async def live(request: Request) -> HTTPResponse:
        return json({"live": True}, headers=headers_of(request))

    @routes.get("/ready")
    async def ready(request: Request) -> HTTPResponse:
        return json(report(), status=200 if health.ready else 503, headers=headers_of(request))

    return routes
