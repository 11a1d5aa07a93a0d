"""The baseline of the viz: plain python-socketio on the same Sanic, which broadcasts given bytes."""

from pathlib import Path

import socketio
from pydantic import Field
from sanic import HTTPResponse, Request

from sector.process import Health, Port, Settings, create_app, load, run


class BareSettings(Settings):
    """The settings."""

    port: Port = Field(description="Port to listen at.")
    tick: Path = Field(description="A file with what is sent.")


def main() -> None:
    """Serve until a signal."""
    settings = load(BareSettings, about="Sends the same bytes to everybody, each time it is told to.")
    app = create_app(Health("bare"))
    server = socketio.AsyncServer(async_mode="sanic")
    server.attach(app, socketio_path="ws")
    tick = settings.tick.read_bytes()

    async def connected(_spectator: str, _environ: dict[str, object]) -> None:
        """Accept every connection."""

    server.on("connect", connected)

    @app.post("/broadcast")
    async def broadcast(_: Request) -> HTTPResponse:
        await server.emit("tick", tick)
        return HTTPResponse(status=204)

    run(app, settings, settings.port)


if __name__ == "__main__":
    main()
