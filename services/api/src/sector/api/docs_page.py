"""GET /docs: the API, to be read and tried in a browser. All of it is served from here; VENDORED says what it is made of."""

from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path

from sanic import Request

from sector.api.responses import Headers, Response, page_response
from sector.process.http_errors import HttpError

_FOLDER = Path(__file__).parent / "docs"
_KINDS: Mapping[str, bytes] = {
    "index.html": b"text/html; charset=utf-8",
    "start.js": b"text/javascript; charset=utf-8",
    "swagger-ui-bundle.js": b"text/javascript; charset=utf-8",
    "swagger-ui.css": b"text/css; charset=utf-8",
}
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self';"
    b" base-uri 'none'; frame-ancestors 'none'"
)
_PAGE: Headers = ((b"content-security-policy", _POLICY), (b"x-content-type-options", b"nosniff"))


async def get_docs(_: Request) -> Response:
    """Answer with the page."""
    return _file("index.html", b"no-cache")


async def get_part(_: Request, name: str) -> Response:
    """Answer with what the page asks for."""
    if name not in _KINDS:
        raise HttpError(HTTPStatus.NOT_FOUND, f"there is no {name[:60]!r}")
    return _file(name, b"public, max-age=86400")


def _file(name: str, caching: bytes) -> Response:
    return page_response(_read(name), _KINDS[name], (*_PAGE, (b"cache-control", caching)))


@cache
def _read(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()
