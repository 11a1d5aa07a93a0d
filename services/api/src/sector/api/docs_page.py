"""GET /docs: a page (Swagger UI) to read and try the API. The API serves all its parts; VENDORED lists them."""

from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path

from sanic import Request

from sector.api.responses import Headers, Response, page_response
from sector.process.http_errors import HttpError

_FOLDER = Path(__file__).parent / "docs"
_CONTENT_TYPES: Mapping[str, bytes] = {
    "index.html": b"text/html; charset=utf-8",
    "start.js": b"text/javascript; charset=utf-8",
    "swagger-ui-bundle.js": b"text/javascript; charset=utf-8",
    "swagger-ui.css": b"text/css; charset=utf-8",
}
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self';"
    b" base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Headers = ((b"content-security-policy", _POLICY), (b"x-content-type-options", b"nosniff"))


async def get_docs(_: Request) -> Response:
    """Answer with the page."""
    return _respond("index.html", b"no-cache")


async def get_file(_: Request, name: str) -> Response:
    """Answer with a file of the page."""
    if name not in _CONTENT_TYPES:
        raise HttpError(HTTPStatus.NOT_FOUND, f"page {name[:60]!r} does not exist")
    return _respond(name, b"public, max-age=86400")


def _respond(name: str, cache_control: bytes) -> Response:
    return page_response(_read(name), _CONTENT_TYPES[name], (*_HEADERS, (b"cache-control", cache_control)))


@cache
def _read(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()
