"""Problem documents (RFC 9457) of services that have no form of their own for errors."""

from collections.abc import Mapping
from http import HTTPStatus

from sanic import HTTPResponse
from sanic.response import json

PROBLEM_TYPE = "application/problem+json"


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> HTTPResponse:
    """Return a problem document. `detail`: what happened, and what to do, in our own words."""
    # The page of the viz reads `message`, also one of an earlier version.
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "message": detail}
    return json(body, status, headers=dict(headers or {}), content_type=PROBLEM_TYPE)
