"""Errors as RFC 9457 problem details: what happened, to which field, and what to do."""

import orjson
from pydantic import JsonValue, ValidationError

from sector.api.responses import PROBLEM, Response
from sector.models.error_texts import describe_error, list_causes

MAX_ERRORS = 20
"""Errors that one response lists. A request of 1 MB can have 100,000 of them, and each takes some 200 bytes."""
_MAX_NAME = 60


class ApiError(Exception):
    """An error response. `errors` lists the first errors, each with its field and message; `more_errors` is the number of the others."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        errors: list[dict[str, str]] | None = None,
        headers: dict[str, str] | None = None,
        more_errors: int = 0,
    ) -> None:
        super().__init__(detail)
        self._more_errors = more_errors
        self.status = status
        self.headers = headers or ({"Retry-After": "1"} if status == 503 else {})
        self.title = title
        self.detail = detail
        self.errors = errors or []
        self.body = self.body_with(MAX_ERRORS)

    def body_with(self, max_errors: int) -> dict[str, JsonValue]:
        """Return the body with at most `max_errors` errors, and the number of the others."""
        body: dict[str, JsonValue] = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail if max_errors or not self.errors else f"{len(self.errors)} errors, see more_errors",
        }
        if listed := self.errors[:max_errors]:
            body["errors"] = [dict(error) for error in listed]
        if more := len(self.errors) - len(listed) + self._more_errors:
            body["more_errors"] = more
        return body

    def response(self) -> Response:
        """Return the response."""
        headers = tuple((name.lower().encode(), value.encode()) for name, value in self.headers.items())
        return Response(orjson.dumps(self.body), self.status, content_type=PROBLEM, headers=headers)


def invalid(errors: list[dict[str, str]], title: str = "Invalid order") -> ApiError:
    """Return the error of a body that is JSON, but not valid."""
    detail = "; ".join(f"{error['field']}: {error['message']}" for error in errors[:MAX_ERRORS])
    if len(errors) > MAX_ERRORS:
        detail += f"; and {len(errors) - MAX_ERRORS} more"
    return ApiError(422, title, detail, errors)


def invalid_unlisted(errors: int, title: str = "Invalid order") -> ApiError:
    """Return the error of a body in a response that already lists the maximum number of errors."""
    return ApiError(422, title, f"{errors} errors, see more_errors", more_errors=errors)


def invalid_query(name: str, message: str) -> ApiError:
    """Return the error of a query parameter."""
    name = _shorten(name)
    return ApiError(422, "Invalid query", f"{name}: {message}", [{"field": name, "message": message}])


def invalid_header(name: str, message: str) -> ApiError:
    """Return the error of a header."""
    return ApiError(422, "Invalid header", f"{name}: {message}", [{"field": name, "message": message}])


def list_errors(error: ValidationError, tags: frozenset[str] = frozenset()) -> list[dict[str, str]]:
    """Return field and message of each error. `tags` are those of a union: the paths of pydantic begin with them."""
    listed = []
    errors = list_causes(error)
    # If the validation of a list stopped at an invalid item, the error about too few valid items adds nothing.
    stopped = {each["loc"][:-depth] for each in errors for depth in range(1, len(each["loc"]))}
    for each in errors:
        if each["type"] == "too_short" and each["loc"] in stopped:
            continue
        path = [str(part) for part in each["loc"]]
        if path and path[0] in tags:
            del path[0]
        message = describe_error(each)
        match each["type"]:
            case "union_tag_not_found":
                path, message = [*path, "type"], f"is required, one of {', '.join(sorted(tags))}"
            case "union_tag_invalid":
                path, message = [*path, "type"], f"must be one of {', '.join(sorted(tags))}"
            case "model_attributes_type" | "model_type" if tags:
                message = "an order must be a JSON object"
            case "model_attributes_type" | "model_type":
                message = "must be a JSON object"
        listed.append({"field": ".".join(map(_shorten, path)) or "(body)", "message": message})
    return listed


def _shorten(name: str) -> str:
    """Return the name of a field, cut to a maximum length: the name of an unknown field can be as long as the body."""
    return name if len(name) <= _MAX_NAME else f"{name[:_MAX_NAME]}…"
