"""A trace collector that accepts everything and stores nothing."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pydantic import Field

from sector.process import Port, Settings, load


class CollectorSettings(Settings):
    """The settings."""

    port: Port = Field(description="Port to listen at.")


class _CollectorHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:  # noqa: N802  (the library's name)
        self.rfile.read(int(self.headers["content-length"]))
        self._answer()

    def do_GET(self) -> None:  # noqa: N802  (the library's name)
        self._answer()

    def _answer(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def main() -> None:
    """Serve until a signal."""
    settings = load(CollectorSettings, about="Takes traces.")
    ThreadingHTTPServer((settings.host, settings.port), _CollectorHandler).serve_forever()


if __name__ == "__main__":
    main()
