"""All operations of the API. `routes` adds a route for each, and `openapi` describes each in the document."""

from sector.api.operations.orders import GET_ORDER, POST_ORDERS
from sector.api.operations.process import GET_HEALTH, GET_LIVENESS, GET_METRICS, GET_OPENAPI, GET_READINESS
from sector.api.operations.sim_state import GET_EVENT_STREAM, GET_EVENTS, GET_MAP, GET_SNAPSHOT
from sector.api.operations.sims import GET_SIM, GET_SIMS, POST_FORK, POST_SIMS
from sector.models import Snapshot
from sector.models.responses import (
    AcceptedOrder,
    EventPage,
    NewFork,
    NewSim,
    OrderStatus,
    RequestedSim,
    Results,
    SimDetails,
    SimPage,
)

OPERATIONS = (
    GET_SNAPSHOT,
    GET_MAP,
    GET_EVENTS,
    GET_EVENT_STREAM,
    POST_ORDERS,
    GET_ORDER,
    POST_FORK,
    GET_SIMS,
    POST_SIMS,
    GET_SIM,
    GET_HEALTH,
    GET_LIVENESS,
    GET_READINESS,
    GET_METRICS,
    GET_OPENAPI,
)
"""All operations. The page for people (/docs) is not one."""

MODELS = (
    AcceptedOrder,
    RequestedSim,
    EventPage,
    NewFork,
    NewSim,
    OrderStatus,
    Results,
    SimDetails,
    SimPage,
    Snapshot,
)
