"""HTTP errors: each exception of Sanic becomes a problem document with our own text."""

import json
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from sanic import Request
from sanic.compat import Header
from sanic.exceptions import PayloadTooLarge, RequestTimeout, SanicException

from sector.process import App, Health, create_app
from sector.process.http_errors import HttpError, ProblemHandler
from sector.process.request_head import MalformedRequest


def kinds(base: type[SanicException] = SanicException) -> Iterator[type[SanicException]]:
    """Yield the exceptions of Sanic."""
    for kind in base.__subclasses__():
        if kind.__module__ == "sanic.exceptions":
            yield kind
            yield from kinds(kind)


@pytest.fixture
def app() -> Iterator[App]:
    app = create_app(Health("errors"))
    app.finalize()
    yield app
    type(app).unregister_app(app)


@pytest.fixture
def request_(app: App) -> Request:
    """A request that has arrived."""
    return Request(b"/secret", Header({"host": "a"}), "1.1", "GET", None, app)  # type: ignore[arg-type]  # no connection


def answer(request: Request, error: Exception) -> tuple[int, dict[str, object]]:
    response = ProblemHandler().default(request, error)
    assert response.content_type == "application/problem+json"
    problem = json.loads(response.body or b"")
    assert (problem["status"], problem["title"]) == (response.status, HTTPStatus(response.status).phrase)
    return response.status, problem


@pytest.mark.parametrize("kind", [SanicException, *kinds()])
def test_an_error_of_sanic_has_our_own_text(request_: Request, kind: type[SanicException]) -> None:
    error = kind.__new__(kind)
    SanicException.__init__(error, "secret of Sanic")
    status, problem = answer(request_, error)
    assert status == (error.status_code or 500)
    assert problem["detail"]
    assert "secret" not in str(problem)


@pytest.mark.parametrize("status", [0, 299, 418, 426, 499, 501, 504, 599, 1000])
def test_an_error_may_have_any_status(request_: Request, status: int) -> None:
    expected = status if status in HTTPStatus else 500
    assert answer(request_, SanicException("secret", status))[0] == expected


@pytest.mark.parametrize("error", [RuntimeError("secret"), OSError(2, "secret", "/secret"), KeyError("secret")])
def test_an_unexpected_error_is_a_500_without_details(request_: Request, error: Exception) -> None:
    status, problem = answer(request_, error)
    assert (status, problem["detail"]) == (500, "the process failed unexpectedly: see its log")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (HttpError(HTTPStatus.NOT_FOUND, "ours"), 404),
        (HttpError(HTTPStatus.GONE, "ours"), 410),
        (MalformedRequest("ours"), 400),
    ],
)
def test_our_own_text_is_shown(request_: Request, error: SanicException, status: int) -> None:
    problem = answer(request_, error)
    assert (problem[0], problem[1]["detail"]) == (status, "ours")


def test_texts_contain_the_limits(app: App, request_: Request) -> None:
    app.config.REQUEST_MAX_SIZE, app.config.REQUEST_TIMEOUT = 1234, 5.0
    assert answer(request_, PayloadTooLarge("secret"))[1]["detail"] == "the body exceeds the limit of 1234 bytes"
    assert answer(request_, RequestTimeout("secret"))[1]["detail"] == "the request did not arrive within 5 s"
