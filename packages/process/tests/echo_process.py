"""A process for tests that responds with the body of the request, or with a stream."""

import asyncio
import os
import sys

from sanic import HTTPResponse, Request
from sanic.response import raw

from sector.process import Health, create_app, run
from sector.process.settings import Settings


async def echo(request: Request) -> HTTPResponse:
    """Respond with the body of the request."""
    return raw(request.body)


async def echo_anywhere(request: Request, path: str = "") -> HTTPResponse:
    """Respond with the body for any path and method. By default Sanic does not read the body of a GET."""
    return raw(request.body)


async def stream(request: Request) -> None:
    """Respond in two parts."""
    response = await request.respond(content_type="text/plain")
    await response.send("one ")
    await response.send("two")
    await response.eof()


async def header(request: Request) -> HTTPResponse:
    """Respond with the value of a header."""
    return raw(request.headers.get("x-sent", "").encode())


async def count(request: Request) -> HTTPResponse:
    """Respond with the number of these requests that started before this one, after a short computation."""
    started: int = request.app.ctx.started
    request.app.ctx.started += 1
    sum(range(30_000))
    return raw(b"%d" % started)


async def be_silent(request: Request) -> None:
    """Start a stream and send nothing for a minute."""
    await request.respond(content_type="text/plain")
    await asyncio.sleep(60)


async def note_request(request: Request, response: HTTPResponse) -> None:
    """Return the request that was read in a header."""
    response.headers["x-read"] = f"{request.method} {request.raw_url.decode()}"


def main() -> None:
    """Serve until a signal."""
    app = create_app(Health("echo"))
    app.config.PROXIES_COUNT = int(os.environ.get("PROXIES", "0")) or None
    app.add_route(echo, "/echo", methods=("GET", "POST"))
    for path in ("/", "/read/<path:path>"):
        app.route(path, methods=("GET", "POST", "PUT"), ignore_body=False, name=f"echo{len(path)}")(echo_anywhere)
    app.add_route(stream, "/stream", methods=("GET", "HEAD"))
    app.add_route(header, "/header")
    app.add_route(be_silent, "/silence")
    app.ctx.started = 0
    app.add_route(count, "/count", methods=("GET", "POST"))
    app.on_response(note_request)
    os.environ["HOST"] = "127.0.0.1"
    run(app, Settings(), int(sys.argv[1]))


if __name__ == "__main__":
    main()
