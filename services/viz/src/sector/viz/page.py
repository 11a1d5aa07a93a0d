"""The page and its parts: read and compressed once, and kept by browsers for ever: the address of a part names what is in it."""

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
from sector.process.http_errors import HttpError

FOLDER = Path(__file__).parent / "page"
_KINDS: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FOR_EVER = "public, max-age=31536000, immutable"
_SMALL = 512
_BOOT = "boot.js"
"""Served whatever the version: it reloads a page whose parts are of another one."""


@dataclass(frozen=True, slots=True)
class _Part:
    kind: str
    bodies: Mapping[str, bytes]
    """By content coding."""


class Page:
    """The page of a viz whose sim is `sim_id`. `api_url`: where browsers reach the API; empty: nowhere. `polling`: whether it may poll
    where it cannot have a WebSocket."""

    def __init__(self, sim_id: str, api_url: str, *, polling: bool = False) -> None:
        self.version = _VERSION
        self._parts = _PARTS
        told = (
            orjson.dumps({"sim": sim_id, "api": api_url, "polling": polling})
            .decode()
            .replace("&", "&amp;")
            .replace('"', "&quot;")
        )
        # All are asked for at once: else a browser would learn of some only from others.
        modules = "".join(
            f'<link rel="modulepreload" href="{{base}}/{name}" />' for name in _CONTENTS if name.endswith(".js")
        )
        html = _CONTENTS["index.html"].decode().replace("<!-- modules -->", modules)
        html = html.replace("{base}", f"static/{self.version}").replace("{settings}", told)
        self._index = _part("index.html", html.encode())
        self._tag = f'"{sha256(html.encode()).hexdigest()[:32]}"'
        self.policy = _policy(api_url)

    def serve(self, app: App) -> None:
        """Add the endpoints, and what every answer says."""
        app.add_route(self.index, "/", methods=("GET", "HEAD"))
        app.add_route(self.part, "/static/<version>/<name:path>", methods=("GET", "HEAD"))
        app.on_response(self._guard)

    async def index(self, request: Request) -> HTTPResponse:
        """Answer with the page itself, which is asked for anew each time."""
        headers = {"Cache-Control": "no-cache", "ETag": self._tag}
        if self._tag in request.headers.get("if-none-match", ""):
            return raw(b"", status=304, headers=headers)
        return _answer(request, self._index, headers)

    async def part(self, request: Request, version: str, name: str) -> HTTPResponse:
        """Answer with a part of the page. One of another version is not here: its page is older, or newer, than this process."""
        if name not in self._parts or (version != self.version and name != _BOOT):
            raise HttpError(HTTPStatus.NOT_FOUND, f"there is no {name[:60]!r} of version {version[:16]!r} here")
        return _answer(
            request, self._parts[name], {"Cache-Control": _FOR_EVER if version == self.version else "no-store"}
        )

    async def _guard(self, _: Request, response: HTTPResponse) -> None:
        response.headers.setdefault("Content-Security-Policy", self.policy)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        response.headers.setdefault("Cache-Control", "no-store")


def _part(name: str, body: bytes) -> _Part:
    bodies = {"": body}
    if len(body) > _SMALL:
        bodies |= {"br": brotli.compress(body, quality=9), "gzip": gzip.compress(body, compresslevel=9, mtime=0)}
    return _Part(_KINDS[Path(name).suffix], bodies)


def _read_contents() -> dict[str, bytes]:
    files = (path for path in sorted(FOLDER.rglob("*")) if path.suffix in _KINDS)
    return {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in files}


# With the import, and not with each page: processes that are forked later share the compressed parts.
_CONTENTS: Mapping[str, bytes] = _read_contents()
_VERSION = sha256(b"".join(sha256(name.encode() + body).digest() for name, body in _CONTENTS.items())).hexdigest()[:16]
_PARTS: Mapping[str, _Part] = {name: _part(name, body) for name, body in _CONTENTS.items() if name != "index.html"}


def _answer(request: Request, part: _Part, headers: dict[str, str]) -> HTTPResponse:
    accepted = {each.partition(";")[0].strip() for each in request.headers.get("accept-encoding", "").split(",")}
    coding = next((each for each in ("br", "gzip") if each in accepted and each in part.bodies), "")
    headers["Vary"] = "Accept-Encoding"
    if coding:
        headers["Content-Encoding"] = coding
    return raw(part.bodies[coding], content_type=part.kind, headers=headers)


def _policy(api_url: str) -> str:
    address = urlsplit(api_url)
    api = f" {address.scheme}://{address.netloc}" if address.netloc else ""
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'{api};"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
