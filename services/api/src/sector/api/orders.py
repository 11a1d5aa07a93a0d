"""POST /orders: check each order, append the good ones to the log, and say of each what became of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

from pydantic import JsonValue, ValidationError
from pydantic_core import from_json
from sanic import Blueprint, HTTPResponse, Request, json

from sector.api.problems import Problem, faults_of, invalid
from sector.models.orders import ORDER, Order, references
from sector.models.rows import has_row
from sector.state import orders as log
from sector.state.connect import Client
from sector.state.durability import Durability
from sector.state.reader import SimReader, View

MAX_ORDERS = 1_000
_TAGS = frozenset(kind.model_fields["type"].default for kind in get_args(get_args(Order)[0]))
_ISSUER = "anonymous"


@dataclass(slots=True)
class Count:
    """Orders that this process accepted."""

    accepted: int = 0


def routes(redis: Client, reader: SimReader, sim_id: str, durability: Durability, count: Count) -> Blueprint:
    """Return the endpoint for the sim."""
    endpoint = Blueprint("orders")

    @endpoint.post("/orders")
    async def post(request: Request) -> HTTPResponse:
        bodies = _bodies(request.body)
        if isinstance(bodies, list):
            return await _batch(bodies)
        order = await _check(bodies)
        (order_id,) = await _append([ORDER.dump_json(order)])
        return json({"id": order_id, "status": "pending"}, status=202)

    async def _batch(bodies: list[JsonValue]) -> HTTPResponse:
        results: list[dict[str, JsonValue] | None] = []
        accepted: list[bytes] = []
        for body in bodies:
            try:
                accepted.append(ORDER.dump_json(await _check(body)))
                results.append(None)
            except Problem as problem:
                results.append({"status": problem.status, "problem": problem.body})
        ids = iter(await _append(accepted) if accepted else [])
        return json({"results": list(_filled(results, ids))}, status=207)

    async def _append(bodies: list[bytes]) -> list[str]:
        ids = await log.append(redis, sim_id, _ISSUER, bodies, durability=durability)
        count.accepted += len(ids)
        return ids

    async def _check(body: JsonValue) -> Order:
        try:
            order = ORDER.validate_python(body)
        except ValidationError as error:
            raise invalid(faults_of(error, _TAGS)) from error
        # A system or faction that was there once stays: only one not known yet is worth a look at the newest view.
        view = reader.last or await reader.view()
        if list(_unknown(order, view)):
            view = await reader.view()
        if unknown := list(_unknown(order, view)):
            raise invalid(unknown)
        if view.head.status == "finished":
            raise Problem(409, "The sim is finished", f"sim {sim_id} finished at tick {view.head.tick}")
        return order

    return endpoint


def _filled(results: list[dict[str, JsonValue] | None], ids: Iterator[str]) -> Iterator[dict[str, JsonValue]]:
    for result in results:
        yield {"status": 202, "id": next(ids)} if result is None else result


def _bodies(body: bytes) -> JsonValue:
    try:
        parsed: JsonValue = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise Problem(400, "Malformed JSON", f"the body is not JSON: {error}") from error
    if isinstance(parsed, list) and not 1 <= len(parsed) <= MAX_ORDERS:
        raise Problem(422, "Not a valid list", f"a list holds 1 to {MAX_ORDERS} orders, this one {len(parsed)}")
    return parsed


def _unknown(order: Order, view: View) -> Iterator[dict[str, str]]:
    for field, table, row_id in references(order):
        frames = [frame for frame in (view.snapshot, view.map) if table in frame.tables]
        if not any(has_row(frame.tables[table], row_id) for frame in frames):
            yield {"field": field, "message": f"{row_id!r} is not among the {table} of this sim"}
