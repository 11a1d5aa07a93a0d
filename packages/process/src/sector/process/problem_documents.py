"""Problem documents (RFC 9457) of services that have no error format of their own."""

from collections.abc import Mapping
from http import HTTPStatus

from sanic import HTTPResponse
from sanic.response import json

PROBLEM_TYPE = "application/problem+json"


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> HTTPResponse:
    """Return a response with a problem document. `detail`: what happened and what to do, in our own words."""
    # The page of the viz reads `message`, which earlier versions used.
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "message": detail}
    return json(body, status, headers=dict(headers or {}), content_type=PROBLEM_TYPE)
