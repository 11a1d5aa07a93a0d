"""Health and readiness: the conditions that a process depends on.

The log has one line for each change, not for each retry.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from pydantic import JsonValue
from sanic import Blueprint, HTTPResponse, Request, json

log = logging.getLogger(__name__)


class Health:
    """The conditions of a process, by name. Each is ok or has an error text.

    A process is ready if all conditions are ok. Errors that do not block are only reported, because other work
    continues.
    """

    def __init__(self, service: str, *conditions: str) -> None:
        self.service = service
        self._errors: dict[str, str | None] = dict.fromkeys(conditions, "not checked yet")
        self._details: dict[str, str] = {}
        self._not_blocking: set[str] = set()
        self._since: dict[str, float] = dict.fromkeys(conditions, time.time())
        self._stopping = False

    @property
    def ready(self) -> bool:
        """Whether this process can do its work."""
        return not (
            self._stopping or any(error for name, error in self._errors.items() if name not in self._not_blocking)
        )

    @property
    def errors(self) -> Mapping[str, str | None]:
        """The error text of each condition, or None if it is ok."""
        return self._errors

    def stopping(self) -> None:
        """Mark this process as stopping. From now on it is not ready, even if all conditions are ok."""
        self._stopping = True

    def set_ok(self, condition: str, detail: str = "") -> None:
        """Set a condition to ok. `detail`: additional information for operators."""
        if self._change(condition, None):
            log.info("condition ok", extra={"condition": condition} | ({"detail": detail} if detail else {}))

    def set_error(self, condition: str, error: str, detail: str = "", *, cause: str = "", blocks: bool = True) -> None:
        """Set the error of a condition.

        Args:
            condition: The name of the condition.
            error: What is wrong, in our own words.
            detail: Additional information, which may differ with each retry without counting as a change.
            cause: The text of a library. It is only logged, because `/health` contains no foreign text.
            blocks: Whether the process is not ready because of this error.
        """
        self._details[condition] = detail
        changed = (condition in self._not_blocking) is blocks
        if blocks:
            self._not_blocking.discard(condition)
        else:
            self._not_blocking.add(condition)
        if self._change(condition, error) or changed:
            fields = {"condition": condition, "error": error, "detail": detail, "cause": cause}
            extra: dict[str, object] = {name: text for name, text in fields.items() if text}
            log.warning("condition failed, retrying", extra=extra | {"blocks_ready": blocks})

    def update(self, condition: str, error: tuple[str, str] | None, detail: str = "", *, blocks: bool = True) -> None:
        """Set a condition to ok if `error` is None, otherwise set its error: the text, and the cause for the log."""
        if error is None:
            self.set_ok(condition)
        else:
            text, cause = error
            self.set_error(condition, text, detail, cause=cause, blocks=blocks)

    def _change(self, condition: str, error: str | None) -> bool:
        if self._errors.get(condition, "") == error:
            return False
        self._errors[condition] = error
        self._since[condition] = time.time()
        return True

    def report(self) -> dict[str, JsonValue]:
        """Return the conditions in the format of `/health`."""
        conditions: dict[str, JsonValue] = {
            name: {"ok": error is None, "since_ms": int(self._since[name] * 1000)} | self._error_fields(name, error)
            for name, error in self._errors.items()
        }
        stopping: dict[str, JsonValue] = {"stopping": True} if self._stopping else {}
        return {"service": self.service, "ready": self.ready, **stopping, "conditions": conditions}

    def _error_fields(self, condition: str, error: str | None) -> dict[str, JsonValue]:
        if error is None:
            return {}
        # `fault` is the earlier name of `error`, until version 0.10.
        fields: dict[str, JsonValue] = {"error": error, "fault": error, "blocks": condition not in self._not_blocking}
        detail = self._details.get(condition)
        return fields | {"detail": detail} if detail else fields


type Details = Callable[[], Awaitable[dict[str, JsonValue]]]
type HeadersOf = Callable[[Request], dict[str, str]]


def endpoints(health: Health, details: Details | None = None, headers_of: HeadersOf = lambda _: {}) -> Blueprint:
    """Return the endpoints `/health` (all conditions), `/health/live` (the process responds) and `/health/ready` (it
    can work).

    `details`: returns additional fields for `/health`. `headers_of`: returns headers for the responses.
    """
    routes = _probes(health, health.report, headers_of)

    @routes.get("/")
    async def everything(request: Request) -> HTTPResponse:
        more = await details() if details else {}
        return json(health.report() | more, status=200 if health.ready else 503, headers=headers_of(request))

    return routes


def public_endpoints(health: Health, headers_of: HeadersOf = lambda _: {}) -> Blueprint:
    """Return `/health/live` and `/health/ready` for a public port. Their responses contain no details."""

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
