"""`GET /connection`: why a page cannot connect. A browser does not show a page the response that refused its WebSocket."""

import orjson
from sanic import HTTPResponse, Request
from sanic.response import raw

from sector.process import App
from sector.viz.rooms import Rooms


class ConnectionCheck:
    """The endpoint for pages that cannot connect. `version` is that of the assets that this process serves."""

    def __init__(self, rooms: Rooms, version: str) -> None:
        self._rooms = rooms
        self._version = version

    def serve(self, app: App) -> None:
        """Add the endpoint."""
        app.add_route(self.check, "/connection")

    async def check(self, request: Request) -> HTTPResponse:
        """Respond with the version, and with the reason why a page of the origin `origin` is refused; empty if it is not."""
        refusal = self._rooms.refusal(request, request.args.get("origin", ""))
        return raw(orjson.dumps({"version": self._version, "refusal": refusal}), content_type="application/json")
