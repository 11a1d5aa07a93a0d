"""Routes of the API: each handler is throttled, and each response finalized."""

from collections.abc import Awaitable, Callable

from sanic import HTTPResponse, Request

from sector.api.request_throttle import RequestThrottle
from sector.api.response_finalizer import ResponseFinalizer
from sector.api.responses import Response
from sector.process import App

type Handler = Callable[..., Awaitable[Response | None]]
"""Called with the request and the parameters in its path. It returns None if it sent the response by itself."""

_SANIC_PATH = str.maketrans("{}", "<>")
_ROUTE_NAME = str.maketrans({character: "_" for character in " /<>:"})


class Router:
    """Adds routes to an app."""

    def __init__(self, app: App, finalizer: ResponseFinalizer, throttle: RequestThrottle) -> None:
        self._app = app
        self._finalizer = finalizer
        self._throttle = throttle
        self._paths: set[str] = set()

    def add(self, method: str, path: str, handler: Handler) -> None:
        """Route a method of a path to `handler`. GET implies HEAD, and each path answers OPTIONS.

        A parameter in the path is written as in OpenAPI: `/orders/{order_id}`.
        """
        method, path = method.upper(), path.translate(_SANIC_PATH)
        finalizer, throttle = self._finalizer, self._throttle

        async def handle(request: Request, **parameters: str) -> HTTPResponse | None:
            throttle.check(request)
            sent_bytes = 0
            try:
                response = await handler(request, **parameters)
                sent_bytes = 0 if response is None else len(response.body or b"")
            finally:
                throttle.charge(request, sent_bytes)
            return None if response is None else finalizer.finalize(request, response)

        async def options(request: Request, **_: str) -> HTTPResponse:
            return finalizer.preflight(request)

        name = path.translate(_ROUTE_NAME)
        methods = ("GET", "HEAD") if method == "GET" else (method,)
        # The API formats all errors. Without `error_format` Sanic parses the source of each handler.
        self._app.add_route(handle, path, methods=methods, name=f"{method}{name}", error_format="json")
        if path not in self._paths:
            self._paths.add(path)
            self._app.add_route(options, path, methods=("OPTIONS",), name=f"OPTIONS{name}", error_format="json")
