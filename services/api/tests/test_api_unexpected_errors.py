"""Unexpected errors: a 500 without details, which are only in the log."""

import logging
from collections.abc import Callable

import orjson
import pytest
from prometheus_client import REGISTRY
from sanic import Request

from fixtures.orders import NOTE
from fixtures.sim import Sim
from sector.api.api_sim import ApiSim
from sector.api.authentication import Authenticator
from sector.api.error_handlers import install
from sector.api.order_rate_limit import OrderRates
from sector.api.orders import OrdersEndpoint
from sector.api.request_throttle import RequestThrottle
from sector.api.response_finalizer import ResponseFinalizer
from sector.process import App
from sector.process.tracing import Attributes, Traces
from sector.state.errors import SimAlreadyFinished
from sector.state.log import admission
from sector.state.log.admission import Admitted

ERROR = RuntimeError("the password is 7")
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_an_unexpected_error_is_a_500_without_details(
    bare_app: App, finalizer: ResponseFinalizer, make_request: Callable[..., Request], caplog: pytest.LogCaptureFixture
) -> None:
    install(bare_app, finalizer)
    handler = bare_app.error_handler.lookup(ERROR, None)
    request = make_request("/snapshot")
    request.ctx.trace = "0af7651916cd43dd8448eb211c80319c"
    with caplog.at_level(logging.ERROR):
        answer = await handler(request, ERROR)
    assert answer.status == 500
    assert orjson.loads(answer.body)["detail"] == "the API failed unexpectedly: find this request in its log"
    assert b"password" not in answer.body
    (record,) = caplog.records
    assert record.getMessage() == "request failed"
    assert (vars(record)["method"], vars(record)["path"]) == ("GET", "/snapshot")
    assert record.exc_info is not None
    assert record.exc_info[1] is ERROR
    assert dict(answer.processed_headers)[b"x-request-id"].decode() == vars(record)["request"]
    assert vars(record)["trace"] == request.ctx.trace


class SpanEnds:
    """A tracer that records how spans end. It also stands for each of them."""

    traceparent = PARENT

    def __init__(self) -> None:
        self.ends: list[tuple[Attributes, str]] = []

    def begin(self, name: str, parent: str, began_ns: int | None, attributes: Attributes) -> "SpanEnds":
        return self

    def end(self, attributes: Attributes, ended_ns: int | None, error: str = "") -> None:
        self.ends.append((attributes, error))

    def close(self) -> None:
        """There is nothing to close."""


@pytest.mark.parametrize(
    ("error", "status", "fault", "refusals"),
    [
        (ERROR, 500, "unexpected error", 0),
        (SimAlreadyFinished("default", 9), 409, "sim default finished at tick 9 and accepts no orders", 1),
    ],
)
async def test_a_failed_order_is_traced_and_counted_if_its_error_is_known(
    live_sim: ApiSim,
    sim: Sim,
    throttle: RequestThrottle,
    make_request: Callable[..., Request],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    fault: str,
    refusals: int,
) -> None:
    async def admit(_: admission.Request) -> Admitted:
        raise error

    monkeypatch.setattr(live_sim.group, "admit", admit)
    spans, before = SpanEnds(), _refusals()
    orders = OrdersEndpoint(
        Authenticator(None, "sector"),
        OrderRates(0, 0),
        lambda _: "10.0.0.1",
        throttle,
        Traces(spans, max_per_second=1000.0),
    )
    with pytest.raises(type(error)) as raised:
        await orders.post(make_request("/orders", method="POST", body=orjson.dumps(NOTE)), live_sim)
    assert raised.value is error
    ((attributes, text),) = spans.ends
    assert attributes == {"http.response.status_code": status}
    assert text.startswith(fault)
    assert _refusals() - before == refusals
    assert orders.accepted == 0


def _refusals() -> float:
    return sum(
        sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name == "sector_orders_refused_total"
    )
