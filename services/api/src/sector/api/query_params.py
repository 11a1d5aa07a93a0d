"""Query parameters: known ones only, each once, and of the form that they must have."""

from sanic import Request

from sector.api.problems import invalid_query


def query(request: Request, *known: str) -> dict[str, str]:
    """Return the parameters of a request. Raises Problem for one that is not known, or stands there twice."""
    found: dict[str, str] = {}
    for name, value in request.get_query_args(keep_blank_values=True):
        if name not in known:
            raise invalid_query(name, f"there is no such parameter; there are {', '.join(known) or 'none'}")
        if name in found:
            raise invalid_query(name, "it stands there twice")
        found[name] = value
    return found


def number(name: str, text: str, least: int, most: int) -> int:
    """Return a whole number. Raises Problem."""
    if text.isascii() and text.isdecimal() and len(text) <= 18 and least <= int(text) <= most:
        return int(text)
    raise invalid_query(name, f"{text[:40]!r} is not a number from {least} to {most}")
