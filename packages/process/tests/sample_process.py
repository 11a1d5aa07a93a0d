"""A process for tests, whose work ends as an environment variable says."""

import asyncio
import logging
import os
import sys
import threading

from structlog.contextvars import bind_contextvars

from sector.process import Health, attach, create_app, log_stream, run
from sector.process.settings import Settings

# isort: split
# This import follows sector.process, which removes the variables that Sanic reads.
from sanic import HTTPResponse, Request
from sanic.response import empty

HOSTILE = "a\x1b]0;pwned\x07b\n12:00:00 [info     ] c\x00d\u202ee\x9bf"
"""Text that a client may send and that errors may quote."""


async def work(stop: asyncio.Event) -> None:
    """Wait for the stop, or do what WORK says."""
    how = os.environ["WORK"]
    if how == "fail":
        bind_contextvars(sim="s1", tick=7)
        logging.getLogger("sample").info("about to %s, surely", "fail", extra={"odd": "no text: \ud83d"})
        raise RuntimeError("as told")
    if how == "quote":
        log = logging.getLogger("sample")
        log.warning("a client sent %s", HOSTILE, extra={"sent": HOSTILE})
        raise RuntimeError(HOSTILE)
    if how == "hang":
        await asyncio.sleep(3600)
    await stop.wait()
    print("work ended", flush=True)


async def log_line(request: Request) -> HTTPResponse:
    """Log a line of the requested size, then respond."""
    logging.getLogger("sample").warning("a line%s", "x" * int(request.args.get("bytes", "0")))
    return empty()


def stall(_: bytes) -> int:
    """Block forever, like a stalled disk."""
    threading.Event().wait()
    return 0


def main() -> None:
    """Serve until a signal."""
    if os.environ.get("STALLED_LOG"):
        # Writes behave like those to a file whose disk stalls.
        log_stream._writer = lambda descriptor: (stall, True)
    health = Health("sample", "thing")
    if os.environ["WORK"] != "unready":
        health.set_ok("thing")
    app = create_app(
        health,
        operator_port=int(os.environ.get("OPERATOR_PORT", "0")),
        sender_timeout_s=float(os.environ.get("SENDER_TIMEOUT_S", "10")),
    )
    app.add_route(log_line, "/log")
    attach(app, "work", work)
    os.environ["HOST"] = "127.0.0.1"
    port = sys.argv[1] if sys.argv[1:] else os.environ.get("SAMPLE_PORT") or os.environ["PORT"]
    run(app, Settings(), int(port))


if __name__ == "__main__":
    main()
