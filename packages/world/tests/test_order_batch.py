"""The bulk decoder of orders follows the models: it decodes their spelling to columns, and Pydantic parses any other
spelling.
"""

import pytest

from sector.models import ORDER, AddFleet, LoggedOrder, MoveFleet, Order
from sector.world.order_batch import decode_orders

MOVE = MoveFleet(faction="Red", system="S3", target="S12", ships=10**12)
MUSTER = AddFleet(faction="Blue", system="S0", ships=7)


def entry(body: bytes) -> LoggedOrder:
    return LoggedOrder("1-0", "tester", admin=False, body=body)


def test_the_spelling_of_the_models_becomes_columns() -> None:
    batch, others = decode_orders([entry(ORDER.dump_json(order)) for order in (MOVE, MUSTER)], {"Red": 0, "Blue": 1})
    assert not others
    assert batch.muster.tolist() == [False, True]
    assert batch.faction.tolist() == [0, 1]
    assert batch.system.tolist() == [3, 0]
    assert batch.target.tolist() == [12, -1]
    assert batch.ships.tolist() == [10**12, 7]


@pytest.mark.parametrize(
    ("body", "order"),
    [
        (b'{"faction":"Red","type":"move_fleet","system":"S3","target":"S12","ships":1000000000000}', MOVE),
        (b'{"type": "add_fleet", "faction": "Blue", "system": "S0", "ships": 7}', MUSTER),
    ],
)
def test_another_spelling_is_parsed_as_the_same_order(body: bytes, order: Order) -> None:
    batch, others = decode_orders([entry(body)], {})
    assert not len(batch.place)
    assert others == [(0, entry(body), order)]
