"""The operations of orders."""

from pydantic import JsonValue

from sector.api import examples
from sector.api.operation import Operation, Parameter, Reply
from sector.api.operations.shared_parts import IDEMPOTENCY_KEY, UNSUPPORTED_TYPE
from sector.api.order_status import MAX_WAIT_S
from sector.api.order_validation import MAX_ORDERS
from sector.models.responses import AcceptedOrder, OrderStatus, Results

_LIST: JsonValue = {
    "type": "array",
    # Any value: an invalid order is rejected, and the others are accepted.
    "items": {"anyOf": [{"$ref": "Order"}, {}]},
    "minItems": 1,
    "maxItems": MAX_ORDERS,
}
_RATE_LIMITED = "The rate limit of the token or address is exceeded, or too many orders are pending. See Retry-After."
_SIM_FINISHED = "The sim is finished."

POST_ORDERS = Operation(
    "post",
    "/orders",
    "Submit an order, or a list of up to 1,000",
    {
        202: Reply(
            "The order is in the log, as durable as /health states.",
            AcceptedOrder,
            example=examples.ACCEPTED,
        ),
        207: Reply("For a list: a result for each order, in the same sequence.", Results, example=examples.RESULTS),
    },
    "Each order of a list is accepted or rejected independently. The rules apply to an order when its tick runs:"
    " poll GET /orders/{order_id} for the result.",
    parameters=(IDEMPOTENCY_KEY,),
    body={"anyOf": [{"$ref": "Order"}, _LIST]},
    example=examples.MOVE,
    problems={
        409: _SIM_FINISHED,
        415: UNSUPPORTED_TYPE,
        422: "An invalid order, list, key or query (`errors` names the fields), or a key that another request has used.",
        429: _RATE_LIMITED,
    },
    token=True,
)

GET_ORDER = Operation(
    "get",
    "/orders/{order_id}",
    "The status of an order",
    {200: Reply("Pending, applied at a tick, or rejected with a reason.", OrderStatus, example=examples.STATUS)},
    parameters=(
        Parameter("order_id", "path", {"type": "string"}, "The id in the response to the order.", "1795595656593-0"),
        Parameter(
            "wait",
            "query",
            {"type": "string", "pattern": r"^([0-9]|[12][0-9])(s|\.[0-9]{1,3}s)?$|^[0-9]{1,4}ms$"},
            f"Wait until the order is applied or rejected, for at most this time. Maximum: {MAX_WAIT_S:.0f}s.",
            "2s",
        ),
    ),
    problems={404: "The sim does not exist, or its log does not contain the order."},
)
