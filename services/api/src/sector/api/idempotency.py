"""The `Idempotency-Key` header of requests, and the header of responses that are replayed.

`sector.state.log.admission` stores keys and responses (admit.lua).
"""

import re

from sanic import Request

from sector.api.problems import invalid_header
from sector.api.responses import Headers

REPLAYED: Headers = ((b"idempotency-replayed", b"true"),)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def idempotency_key(request: Request) -> str | None:
    """Return the idempotency key of a request, or None if it has none. Raises ApiError."""
    key: str | None = request.headers.getone("idempotency-key", None)
    if key is not None and not _KEY.fullmatch(key):
        raise invalid_header("Idempotency-Key", "it must have 1 to 255 visible ASCII characters")
    return key
