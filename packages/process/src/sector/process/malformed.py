"""Requests whose head cannot be read: each is answered, counted, and logged in one line with the address that it came from."""

import logging
from typing import Any

from prometheus_client import Counter
from sanic import Request
from sanic.compat import Header
from sanic.exceptions import SanicException
from sanic.models.protocol_types import TransportProtocol

# It creates the folder of metrics, which they need at once.
import sector.process.metrics  # noqa: F401

log = logging.getLogger(__name__)

_MALFORMED = Counter(
    "sector_http_requests_malformed",
    "Requests whose head was malformed or too large, or did not arrive in time, whatever was answered.",
)
_NO_METHOD = "NONE"
"""Sanic's method for a request that it makes up to answer one whose head it could not read."""


class HttpRequest(Request[Any, Any]):
    """A request. One whose target is no URL is answered with 400: with Sanic's own class, that answer fails as well.

    `app.ctx.logs_malformed`: whether malformed ones are logged here; an access log has a line for each by itself.
    """

    def __init__(
        self,
        url_bytes: bytes,
        headers: Header,
        version: str,
        method: str,
        transport: TransportProtocol,
        app: Any,  # (the app and its context, as Sanic leaves them open)
        head: bytes = b"",
        stream_id: int = 0,
    ) -> None:
        if method != _NO_METHOD or head:
            super().__init__(url_bytes, headers, version, method, transport, app, head, stream_id)
            return
        try:
            super().__init__(url_bytes, headers, version, method, transport, app, head, stream_id)
        except SanicException:
            super().__init__(b"*", headers, version, method, transport, app, head, stream_id)
        # Sanic notes it once the head is read.
        self.conn_info = getattr(transport.get_protocol(), "conn_info", None)
        if self.conn_info is not None and not self.conn_info.lost:
            _MALFORMED.inc()
            if app.ctx.logs_malformed:
                log.warning("a request was rejected: its head is malformed, too large or late", extra=self._origin())

    def _origin(self) -> dict[str, str]:
        return {"address": self.conn_info.client_ip if self.conn_info else ""}
