"""The operations that list and create sims."""

from sector.api import examples
from sector.api.operation import Operation, Parameter, Reply
from sector.api.operations.shared_parts import IDEMPOTENCY_KEY, LIMIT, TICK, UNSUPPORTED_TYPE
from sector.models.field_types import SIM_ID
from sector.models.responses import NewFork, NewSim, RequestedSim, SimDetails, SimPage

_REQUESTED = Reply(
    "The request is stored. Poll the location for the status of the sim.",
    RequestedSim,
    example=examples.REQUESTED_SIM,
    headers=("Location",),
)

POST_FORK = Operation(
    "post",
    "/fork",
    "Request a sim that begins in the state of this one",
    {202: _REQUESTED},
    "A worker that serves all sims creates it. Requires a token of scope admin.",
    parameters=(Parameter("tick", "query", TICK, "The tick of the state. Default: the newest.", 12), IDEMPOTENCY_KEY),
    body=NewFork,
    example=examples.FORK,
    problems={409: "A sim with this id exists.", 415: UNSUPPORTED_TYPE},
    token=True,
)

GET_SIMS = Operation(
    "get",
    "/sims",
    "List of sims",
    {200: Reply("A page of sims, by id.", SimPage, example=examples.SIMS)},
    of_sim=False,
    parameters=(
        Parameter(
            "after",
            "query",
            {"type": "string", "pattern": f"^{SIM_ID}$"},
            "The id after which to begin.",
            "default",
        ),
        LIMIT,
    ),
)

POST_SIMS = Operation(
    "post",
    "/sims",
    "Request a new sim",
    {202: _REQUESTED},
    "A worker that serves all sims creates it. Requires a token of scope admin.",
    of_sim=False,
    parameters=(IDEMPOTENCY_KEY,),
    body=NewSim,
    example=examples.SIM,
    problems={409: "A sim with this id exists.", 415: UNSUPPORTED_TYPE},
    token=True,
)

GET_SIM = Operation(
    "get",
    "/sims/{sim_id}",
    "Details of a sim",
    {200: Reply("Its config, its position, and the range of available ticks.", SimDetails, example=examples.DETAILS)},
    of_sim=False,
    parameters=(
        Parameter("sim_id", "path", {"type": "string", "pattern": f"^{SIM_ID}$"}, "Id of the sim.", "default"),
    ),
    problems={404: "No such sim."},
)
