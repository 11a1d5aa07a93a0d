"""Requests measure the time since their head was read."""

from sanic import Request
from sanic.compat import Header

from sector.process import Health, create_app
from sector.process.timed_request import TimedRequest, elapsed_s


def test_a_request_of_an_app_measures_its_time() -> None:
    app = create_app(Health("timed"))
    try:
        assert app.request_class is TimedRequest
        arguments = (b"/", Header({}), "1.1", "GET", None, app)
        request, other = TimedRequest(*arguments), Request(*arguments)  # type: ignore[arg-type]  # no connection
        first = elapsed_s(request)
        assert first is not None
        assert 0 <= first <= (elapsed_s(request) or 0)
        assert elapsed_s(other) is None
    finally:
        type(app).unregister_app(app)
