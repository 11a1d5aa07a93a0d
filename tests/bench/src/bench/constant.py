"""The baseline of the API: the same Sanic in the same kind of process, with one constant response."""

from pathlib import Path

from pydantic import Field
from sanic import HTTPResponse, Request

from sector.process import Health, Port, Settings, create_app, load, run

ACCEPTED = b'{"id":"1795595656593-0","status":"pending"}'


class ConstantSettings(Settings):
    """The settings."""

    port: Port = Field(description="Port to listen at.")
    snapshot: Path = Field(description="A file to answer with.")


def main() -> None:
    """Serve until a signal."""
    settings = load(ConstantSettings, about="Answers constants.")
    snapshot, results = settings.snapshot.read_bytes(), settings.snapshot.with_suffix(".results").read_bytes()
    app = create_app(Health("constant"))

    @app.post("/orders")
    async def post_order(_: Request) -> HTTPResponse:
        return HTTPResponse(ACCEPTED, 202, content_type="application/json")

    @app.post("/batch")
    async def post_batch(_: Request) -> HTTPResponse:
        return HTTPResponse(results, 207, content_type="application/json")

    @app.get("/snapshot")
    async def get_snapshot(_: Request) -> HTTPResponse:
        return HTTPResponse(snapshot, content_type="application/json")

    @app.get("/unchanged")
    async def get_unchanged(_: Request) -> HTTPResponse:
        return HTTPResponse(status=304, headers={"ETag": '"constant"'})

    run(app, settings, settings.port)


if __name__ == "__main__":
    main()
