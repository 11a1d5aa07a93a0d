"""Parsing of query parameters. Unknown, repeated and invalid ones are rejected."""

from sanic import Request

from sector.api.problems import invalid_query

MAX_TICK = 2**53
"""The largest tick in a query: the largest integer that all JSON parsers read exactly."""
MAX_LIMIT = 1_000
"""The largest `limit` of a page."""
_MAX_DIGITS = 18


def parse_query(request: Request, *names: str) -> dict[str, str]:
    """Return the query parameters of a request. Raises ApiError for one that is not in `names`, or is repeated."""
    parameters: dict[str, str] = {}
    for name, value in request.get_query_args(keep_blank_values=True):
        if name not in names:
            raise invalid_query(name, f"this parameter is unknown: use {', '.join(names) or 'none'}")
        if name in parameters:
            raise invalid_query(name, "it appears more than once: send it once")
        parameters[name] = value
    return parameters


def parse_integer(name: str, text: str, minimum: int, maximum: int) -> int:
    """Return the integer value of a query parameter. Raises ApiError."""
    if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS and minimum <= int(text) <= maximum:
        return int(text)
    raise invalid_query(name, f"{text[:40]!r} is not a number from {minimum} to {maximum}")
