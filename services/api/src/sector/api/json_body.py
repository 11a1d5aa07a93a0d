"""JSON in the body of a request."""

import jiter
from pydantic import JsonValue
from sanic import Request

from sector.api.problems import ApiError, invalid
from sector.models.error_texts import describe_json_error

_JSON = "application/json"
_ACCEPTED = frozenset({_JSON, "application/x-www-form-urlencoded", "text/plain", ""})
"""Content types that are parsed as JSON: by default curl sends the second, and `fetch` of a browser the third."""
_MAX_BRACKETS = 100_000
"""The maximum number in a body, also inside strings. Each may begin an object, which takes 100 ns to parse."""
_MAX_COLONS = 50_000
"""The maximum number in a body, also inside strings. Each may belong to a field, which takes 300 ns to parse."""


def parse_json(request: Request, *, may_be_map: bool = True) -> JsonValue:
    """Return the JSON in the body of a request. Only a map may have very many fields. Raises ApiError."""
    kind = request.headers.getone("content-type", _JSON)
    if kind != _JSON and kind.partition(";")[0].strip().lower() not in _ACCEPTED:
        detail = f"the Content-Type must be application/json, not {kind[:80]!r}"
        raise ApiError(415, "Unsupported media type", detail, headers={"Accept": "application/json"})
    coding = request.headers.getone("content-encoding", None)
    if coding is not None and coding.lower() not in ("identity", ""):
        detail = f"the body must have no Content-Encoding, not {coding[:80]!r}"
        raise ApiError(415, "Unsupported content encoding", detail, headers={"Accept-Encoding": "identity"})
    if (brackets := request.body.count(b"[") + request.body.count(b"{")) > _MAX_BRACKETS:
        message = f"it has {brackets} of [ and {{, above the limit of {_MAX_BRACKETS}"
        raise invalid([{"field": "(body)", "message": message}], "Too many brackets")
    if (colons := request.body.count(b":")) > _MAX_COLONS and not may_be_map:
        message = f"it has {colons} colons, above the limit of {_MAX_COLONS}"
        raise invalid([{"field": "(body)", "message": message}], "Too many colons")
    try:
        body: JsonValue = jiter.from_json(request.body, allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError as error:
        raise ApiError(400, "Malformed JSON", f"the body {describe_json_error(str(error))}") from error
    return body


def convert_whole_floats(body: JsonValue) -> bool:
    """Replace each float that is a whole number by an int, in place; return whether there was one.

    In JSON Schema 2020-12 `10.0` is an integer, and the document of the API says that its integers are those of JSON Schema.
    """
    changed, stack = False, [body]
    while stack:
        part = stack.pop()
        items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
        for name, value in items:
            if isinstance(value, float) and value.is_integer():
                part[name] = int(value)  # type: ignore[index]  # its own key
                changed = True
            elif isinstance(value, dict | list):
                stack.append(value)
    return changed
