"""Parameters, replies and texts that operations share."""

from sector.api.operation import Parameter, Schema
from sector.api.query_params import MAX_LIMIT, MAX_TICK

OBJECT: Schema = {"type": "object"}

TICK: Schema = {"type": "integer", "minimum": 0, "maximum": MAX_TICK}

IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    "header",
    {"type": "string", "pattern": r"^[\x21-\x7e]{1,255}$"},
    "A key that the client chooses. Requests with the same key are executed once, and get the same response for 24 hours.",
    "7b0b2f5e",
)

LIMIT = Parameter(
    "limit", "query", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}, "Maximum number of items.", 100
)

UNSUPPORTED_TYPE = "The body has a type other than JSON (see Accept), or a Content-Encoding."
