"""Routes of the API: each operation in sector.api.operations and its handler."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from sanic import Request

from sector.api import docs_page, events, order_status, snapshot
from sector.api.authentication import Authenticator
from sector.api.event_stream import EventStreams
from sector.api.openapi import OpenApiEndpoint
from sector.api.operation import Operation
from sector.api.operations.orders import GET_ORDER, POST_ORDERS
from sector.api.operations.process import GET_OPENAPI
from sector.api.operations.sim_state import GET_EVENT_STREAM, GET_EVENTS, GET_MAP, GET_SNAPSHOT
from sector.api.operations.sims import GET_SIM, GET_SIMS, POST_FORK, POST_SIMS
from sector.api.orders import OrdersEndpoint
from sector.api.request_throttle import RequestThrottle
from sector.api.responses import Response
from sector.api.router import Handler, Router
from sector.api.sim_registry import SimRegistry
from sector.api.sims import SimsEndpoint

type SimHandler = Callable[..., Awaitable[Response | None]]
"""Called with the request, the sim, and the other parameters in the path."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The handlers that have a state."""

    orders: OrdersEndpoint
    streams: EventStreams
    sims: SimsEndpoint
    authenticator: Authenticator


def add_routes(router: Router, registry: SimRegistry, throttle: RequestThrottle, endpoints: Endpoints) -> None:
    """Add a route for each operation, and for the page at /docs."""
    sims = endpoints.sims
    sim_handlers: dict[Operation, SimHandler] = {
        GET_SNAPSHOT: partial(snapshot.get_snapshot, throttle),
        GET_MAP: snapshot.get_map,
        GET_EVENTS: partial(events.get_events, throttle),
        GET_EVENT_STREAM: endpoints.streams.get,
        POST_ORDERS: endpoints.orders.post,
        GET_ORDER: order_status.get_order,
        POST_FORK: sims.fork,
    }
    handlers: dict[Operation, Handler] = {
        GET_SIMS: sims.get_all,
        POST_SIMS: sims.post,
        GET_SIM: sims.get_one,
        GET_OPENAPI: OpenApiEndpoint(tokens=not endpoints.authenticator.open).get,
    }
    for operation, sim_handler in sim_handlers.items():
        _add_for_sims(router, registry, operation, sim_handler)
    for operation, handler in handlers.items():
        router.add(operation.method, operation.path, handler)
    router.add("get", "/docs", docs_page.get_docs)
    router.add("get", "/docs/{name}", docs_page.get_file)


def _add_for_sims(router: Router, registry: SimRegistry, operation: Operation, handler: SimHandler) -> None:
    """Route an operation twice: of the own sim at its path, and of any sim below `/sims/{sim_id}`."""

    def handle_own(request: Request, **parameters: str) -> Awaitable[Response | None]:
        return handle(request, registry.own_id, **parameters)

    def handle(request: Request, sim_id: str, **parameters: str) -> Awaitable[Response | None]:
        sim = registry.get_loaded(sim_id)
        if sim is None:
            return load_and_handle(request, sim_id, **parameters)
        return handler(request, sim, **parameters)

    async def load_and_handle(request: Request, sim_id: str, **parameters: str) -> Response | None:
        return await handler(request, await registry.get(sim_id), **parameters)

    router.add(operation.method, operation.path, handle_own)
    router.add(operation.method, f"/sims/{{sim_id}}{operation.path}", handle)
