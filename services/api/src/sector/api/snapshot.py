"""GET /snapshot and GET /map: the state as rows, encoded once a tick for everybody."""

from collections.abc import Callable

import orjson
from sanic import Blueprint, HTTPResponse, Request

from sector.models.rows import table_rows
from sector.state.reader import SimReader, View

type Encode = Callable[[View], bytes]


def routes(reader: SimReader) -> Blueprint:
    """Return the endpoints for the sim."""
    endpoints = Blueprint("snapshot")

    snapshot = _Encoded(lambda view: orjson.dumps(view.rows()))
    map_ = _Encoded(lambda view: orjson.dumps({"sim": view.sim_id, **table_rows([view.map])}))

    @endpoints.get("/snapshot")
    @endpoints.head("/snapshot", name="snapshot_head")
    async def get_snapshot(request: Request) -> HTTPResponse:
        view = await reader.view()
        return _answer(request, view.head.hash, snapshot, view)

    @endpoints.get("/map")
    @endpoints.head("/map", name="map_head")
    async def get_map(request: Request) -> HTTPResponse:
        return _answer(request, "map", map_, await reader.view())

    return endpoints


class _Encoded:
    """The encoding of the view last asked for, under its version."""

    def __init__(self, encode: Encode) -> None:
        self._encode = encode
        self._version = ""
        self._body = b""

    def body(self, version: str, view: View) -> bytes:
        if version != self._version:
            self._version, self._body = version, self._encode(view)
        return self._body


def _answer(request: Request, version: str, encoded: _Encoded, view: View) -> HTTPResponse:
    headers = {"ETag": f'"{version}"', "Cache-Control": "no-cache"}
    seen = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if headers["ETag"] in seen or "*" in seen:
        return HTTPResponse(status=304, headers=headers)
    return HTTPResponse(encoded.body(version, view), headers=headers, content_type="application/json")
