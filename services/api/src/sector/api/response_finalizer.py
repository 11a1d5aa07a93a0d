"""The last step of each response: its request id, CORS headers, metrics and access log."""

import itertools
import re
import secrets

from sanic import HTTPResponse, Request

from sector.api.access_log import AccessLog
from sector.api.cors import Cors
from sector.api.responses import SECURITY_HEADERS, Response
from sector.process.rejected_requests import is_rejected
from sector.process.request_metrics import observe_request

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class ResponseFinalizer:
    """Adds to each response what all responses have, and logs it."""

    def __init__(self, access_log: AccessLog, cors: Cors) -> None:
        self._access_log = access_log
        self._cors = cors
        self._prefix = secrets.token_hex(6)
        self._numbers = itertools.count(1)

    def request_id(self, request: Request) -> str:
        """Return the `X-Request-ID` of a request if it is valid, else a new id."""
        client_id = request.headers.getone("x-request-id", None)
        return (
            client_id if client_id and _REQUEST_ID.fullmatch(client_id) else f"{self._prefix}-{next(self._numbers):x}"
        )

    def finalize(self, request: Request, response: Response, request_id: str | None = None) -> HTTPResponse:
        """Return the response with the headers of all responses, counted and logged. Without `request_id` it gets a new one."""
        request_id = request_id or self.request_id(request)
        observe_request(request, response.status)
        response.encoded_headers += ((b"x-request-id", request_id.encode()), *self._cors.headers(request))
        # The log has malformed requests already, at most one a second.
        if response.status >= self._access_log.min_status and not is_rejected(request):
            self._access_log.write(request, response, request_id)
        return response

    def preflight(self, request: Request) -> HTTPResponse:
        """Return the response to a preflight request (OPTIONS)."""
        return self.finalize(request, self._cors.preflight(request))

    def headers_of(self, request: Request) -> dict[str, str]:
        """Return the headers of a response that another package makes: the security headers and those of CORS."""
        return {name.decode(): value.decode() for name, value in (*SECURITY_HEADERS, *self._cors.headers(request))}
