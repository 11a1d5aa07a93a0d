"""HTTP errors as problem documents (RFC 9457), with our own texts.

The texts of Sanic quote the request and change with the version.
"""

from collections.abc import Iterator, Mapping
from http import HTTPMethod, HTTPStatus

from sanic import HTTPResponse, Request
from sanic.exceptions import PayloadTooLarge, RequestTimeout, SanicException
from sanic.handlers import ErrorHandler

from sector.process.problem_documents import problem
from sector.process.rejected_requests import is_rejected
from sector.process.request_head import MalformedRequest

INTERNAL_ERROR = "the process failed unexpectedly: see its log"
_DETAILS: Mapping[HTTPStatus, str] = {
    HTTPStatus.BAD_REQUEST: "the request is malformed",
    HTTPStatus.NOT_FOUND: "this path does not exist",
    HTTPStatus.METHOD_NOT_ALLOWED: "this path does not allow the method: see the header Allow",
    HTTPStatus.EXPECTATION_FAILED: "the header Expect must be 100-continue",
    HTTPStatus.SERVICE_UNAVAILABLE: "the response was not ready in time: try again",
}


class HttpError(SanicException):
    """The error of a request, with its HTTP status. Clients see the text `detail`, so it must be our own."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        # Sanic logs errors that are not quiet.
        super().__init__(detail, status, quiet=status < HTTPStatus.INTERNAL_SERVER_ERROR)


def describe_http_error(request: Request, error: SanicException) -> tuple[HTTPStatus, str, dict[str, str]]:
    """Return the status, the text and the headers of an error."""
    status = HTTPStatus(error.status_code) if error.status_code in HTTPStatus else HTTPStatus.INTERNAL_SERVER_ERROR
    headers = {name: str(value) for name, value in error.headers.items()}
    match error:
        case HttpError() | MalformedRequest():
            return status, str(error), headers
        case PayloadTooLarge() if is_rejected(request):
            size = request.app.config.REQUEST_MAX_HEADER_SIZE
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            return status, f"the headers of the request exceed the limit of {size} bytes", headers
        case RequestTimeout():
            return status, f"the request did not arrive within {request.app.config.REQUEST_TIMEOUT:g} s", headers
        case PayloadTooLarge():
            return status, f"the body exceeds the limit of {request.app.config.REQUEST_MAX_SIZE} bytes", headers
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        # Sanic states the allowed methods only for paths without parameters.
        headers["Allow"] = ", ".join(_allowed_methods(request))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return status, _DETAILS.get(status, INTERNAL_ERROR), headers
    return status, _DETAILS.get(status, "the request cannot be answered"), headers


def _allowed_methods(request: Request) -> Iterator[str]:
    """Yield the methods that the path of a request supports."""
    for method in sorted(HTTPMethod):
        try:
            request.app.router.get(request.path, method, request.headers.get("host"))
        except SanicException:
            continue
        yield method


class ProblemHandler(ErrorHandler):
    """Responds to errors with a problem document, unless the app has its own handler for them.

    The error pages of Sanic depend on the `Accept` header, and fail with 500 if that is malformed.
    """

    def default(self, request: Request, exception: Exception) -> HTTPResponse:
        """Return the response to an error."""
        self.log(request, exception)
        if not isinstance(exception, SanicException):
            return problem(HTTPStatus.INTERNAL_SERVER_ERROR, INTERNAL_ERROR)
        return problem(*describe_http_error(request, exception))
