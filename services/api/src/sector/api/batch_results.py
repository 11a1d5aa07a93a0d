"""Results of a list of orders: those in the response, and those that are stored with an idempotency key."""

import struct
from collections.abc import Iterator, Mapping, Sequence

import orjson
from pydantic import JsonValue

from sector.api.problems import MAX_ERRORS, ApiError

_ACCEPTED = 202
_STATUSES = b"\x01"
"""First byte of stored statuses. Versions up to 0.7 stored JSON, which begins with a bracket."""


def encode_statuses(rejected: Mapping[int, ApiError], orders: int) -> bytes:
    """Return the stored form of the results: the status of each order, in two bytes. It is empty if all orders were accepted."""
    if not rejected:
        return b""
    statuses = [rejected[number].status if number in rejected else _ACCEPTED for number in range(orders)]
    return _STATUSES + struct.pack(f">{orders}H", *statuses)


def list_results(rejected: Mapping[int, ApiError], stored: bytes, ids: Sequence[str]) -> list[JsonValue]:
    """Return a result for each order, as it was at the first request.

    `rejected` are the errors of this request, which has the same body. If the status of an order was different at the first request,
    because the sim has changed since, the error says only that. Raises ValueError, struct.error, TypeError or StopIteration if the
    stored results are damaged.
    """
    if stored.startswith(b"["):
        return list(_with_ids(orjson.loads(stored), iter(ids)))
    statuses = struct.unpack(f">{len(stored) // 2}H", stored[1:]) if stored else (_ACCEPTED,) * len(ids)
    if (stored and not stored.startswith(_STATUSES)) or statuses.count(_ACCEPTED) != len(ids):
        raise ValueError("these bytes are not stored statuses")
    remaining, texts = MAX_ERRORS, iter(ids)
    listed: list[JsonValue] = []
    for number, status in enumerate(statuses):
        if status == _ACCEPTED:
            listed.append({"status": status, "id": next(texts)})
            continue
        problem = rejected.get(number)
        if problem is None or problem.status != status:
            problem = ApiError(status, "Not accepted", "this order was not accepted at the first request")
        listed.append({"status": status, "problem": problem.body_with(remaining)})
        remaining = max(remaining - len(problem.errors), 0)
    return listed


def _with_ids(stored: Sequence[JsonValue], ids: Iterator[str]) -> Iterator[JsonValue]:
    for result in stored:
        yield {"status": _ACCEPTED, "id": next(ids)} if result is None else result
