"""Why a page cannot connect: `GET /connection`. A browser does not tell a page the answer that refused its WebSocket."""

import orjson
from sanic import HTTPResponse, Request
from sanic.response import raw

from sector.process import App
from sector.viz.rooms import Rooms


class ConnectionCheck:
    """Answers pages that cannot connect. `version`: of the parts of the page that this process serves."""

    def __init__(self, rooms: Rooms, version: str) -> None:
        self._rooms = rooms
        self._version = version

    def serve(self, app: App) -> None:
        """Add the endpoint."""
        app.add_route(self.check, "/connection")

    async def check(self, request: Request) -> HTTPResponse:
        """Answer with the version, and with why a page of the origin `origin` is refused; empty if it is not."""
        refusal = self._rooms.refusal(request, request.args.get("origin", ""))
        return raw(orjson.dumps({"version": self._version, "refusal": refusal}), content_type="application/json")
