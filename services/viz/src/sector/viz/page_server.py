"""Serves the page and its assets. Browsers cache assets forever, because the address of each has the version of the page."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import brotli
import orjson
from sanic import HTTPResponse, Request
from sanic.response import raw

from sector.process import App
from sector.process.content_encoding import negotiate_encoding
from sector.process.http_errors import HttpError

FOLDER = Path(__file__).parent / "page"
_CONTENT_TYPES: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_IMMUTABLE = "public, max-age=31536000, immutable"
_MIN_COMPRESSED_BYTES = 512
_BOOT = "boot.js"
"""Served for every version. It reloads a page whose assets are of another version."""


@dataclass(frozen=True, slots=True)
class _Asset:
    content_type: str
    bodies: Mapping[str, bytes]
    """The bodies of an asset by content encoding; "" is uncompressed."""


class PageServer:
    """Serves the page of a viz with the default sim `sim_id`.

    `api_url`: the address of the API for browsers, or empty. `polling`: whether the page may use HTTP long-polling if a WebSocket fails.
    """

    def __init__(self, sim_id: str, api_url: str, *, polling: bool = False) -> None:
        self.version = _VERSION
        self._assets = _ASSETS
        settings = (
            orjson.dumps({"sim": sim_id, "api": api_url, "polling": polling})
            .decode()
            .replace("&", "&amp;")
            .replace('"', "&quot;")
        )
        # The browser loads all modules at once. Otherwise it would find some only in the imports of others.
        modules = "".join(
            f'<link rel="modulepreload" href="{{base}}/{name}" />' for name in _CONTENTS if name.endswith(".js")
        )
        html = _CONTENTS["index.html"].decode().replace("<!-- modules -->", modules)
        html = html.replace("{base}", f"static/{self.version}").replace("{settings}", settings)
        self._index = _create_asset("index.html", html.encode())
        self._etag = f'"{sha256(html.encode()).hexdigest()[:32]}"'
        self.policy = _content_security_policy(api_url)

    def serve(self, app: App) -> None:
        """Add the endpoints, and the security headers of all responses."""
        app.add_route(self.index, "/", methods=("GET", "HEAD"))
        app.add_route(self.asset, "/static/<version>/<name:path>", methods=("GET", "HEAD"))
        app.on_response(self._set_headers)

    async def index(self, request: Request) -> HTTPResponse:
        """Respond with the page. Browsers revalidate it each time."""
        headers = {"Cache-Control": "no-cache", "ETag": self._etag}
        if self._etag in request.headers.get("if-none-match", ""):
            return raw(b"", status=304, headers=headers)
        return _respond(request, self._index, headers)

    async def asset(self, request: Request, version: str, name: str) -> HTTPResponse:
        """Respond with an asset of the page. Other versions are 404: the page is older or newer than this process."""
        if name not in self._assets or (version != self.version and name != _BOOT):
            raise HttpError(
                HTTPStatus.NOT_FOUND, f"{name[:60]!r} of version {version[:16]!r} does not exist: reload the page"
            )
        return _respond(
            request, self._assets[name], {"Cache-Control": _IMMUTABLE if version == self.version else "no-store"}
        )

    async def _set_headers(self, _: Request, response: HTTPResponse) -> None:
        response.headers.setdefault("Content-Security-Policy", self.policy)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        response.headers.setdefault("Cache-Control", "no-store")


def _create_asset(name: str, body: bytes) -> _Asset:
    bodies = {"": body}
    if len(body) > _MIN_COMPRESSED_BYTES:
        bodies |= {"br": brotli.compress(body, quality=9), "gzip": gzip.compress(body, compresslevel=9, mtime=0)}
    return _Asset(_CONTENT_TYPES[Path(name).suffix], bodies)


def _read_contents() -> dict[str, bytes]:
    files = (path for path in sorted(FOLDER.rglob("*")) if path.suffix in _CONTENT_TYPES)
    return {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in files}


# Compressed at import, so that processes that are forked later share the memory.
_CONTENTS: Mapping[str, bytes] = _read_contents()
_VERSION = sha256(b"".join(sha256(name.encode() + body).digest() for name, body in _CONTENTS.items())).hexdigest()[:16]
_ASSETS: Mapping[str, _Asset] = {
    name: _create_asset(name, body) for name, body in _CONTENTS.items() if name != "index.html"
}


def _respond(request: Request, asset: _Asset, headers: dict[str, str]) -> HTTPResponse:
    offered = ("br", "gzip") if len(asset.bodies) > 1 else ()
    encoding = negotiate_encoding(request.headers.get("accept-encoding", ""), offered)
    headers["Vary"] = "Accept-Encoding"
    if encoding:
        headers["Content-Encoding"] = encoding
    return raw(asset.bodies[encoding], content_type=asset.content_type, headers=headers)


def _content_security_policy(api_url: str) -> str:
    address = urlsplit(api_url)
    api = f" {address.scheme}://{address.netloc}" if address.netloc else ""
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'{api};"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
