"""Players, which send single orders and wait for the outcome, and swarms, which send batches."""

import random
import time
from collections.abc import Sequence
from itertools import count

from locust import task

from load.outcomes import PromiseBroken, outcome_of
from load.user import REQUEST, WORLD, SectorUser
from sector.bot.strategy import choose_orders
from sector.client import ClientError, RequestRejected
from sector.models import Note, Order, Snapshot
from sector.models.responses import OrderStatus

_FACTIONS = count(1)
_OUTCOME = "order to outcome"
_SAMPLED = 3


class _OrderingUser(SectorUser):
    """Plays a faction: a new one while there are free homes, otherwise an existing one."""

    abstract = True
    faction = ""

    def choose(self, snapshot: Snapshot, most: int) -> list[Order]:
        """Return up to this number of useful orders; notes if there are none."""
        if not self.faction:
            self.faction = f"Load{random.getrandbits(24):06x}-{next(_FACTIONS)}"  # not a secret
        orders = choose_orders(snapshot, self.faction, most)
        here = any(each.id == self.faction for each in snapshot.factions)
        return [*orders, *(self.a_note() for _ in range(most - len(orders)))] if here else orders[:1]

    def a_note(self) -> Order:
        """Return an order that changes nothing."""
        return Note(faction=self.faction, text="load")

    def adopt(self, snapshot: Snapshot) -> None:
        """Play an existing faction, because no home is free."""
        self.faction = random.choice(snapshot.factions).id if snapshot.factions else ""  # noqa: S311  (nothing secret)

    async def follow(self, order_id: str, since_tick: int, given_s: float) -> OrderStatus | None:
        """Return the outcome of an order. If it breaks a promise, record a failure and return None."""
        options, fault, order_status = self.options, None, None
        try:
            order_status = await outcome_of(self.client, order_id, since_tick, options.outcome_ticks, options.patience)
        except (PromiseBroken, ClientError) as error:
            fault = error
        self.note(WORLD, _OUTCOME, (time.perf_counter() - given_s) * 1000, fault)
        return order_status


class Player(_OrderingUser):
    """Loads the snapshot, sends one order, and waits for its outcome."""

    @task
    def play(self) -> None:
        """Play a turn."""
        self.do(self._play())

    async def _play(self) -> None:
        snapshot = await self.measured("GET /snapshot", self.client.snapshot())
        (order,) = self.choose(snapshot, 1)
        order_id = await self.measured("POST /orders", self.client.order(order))
        order_status = await self.follow(order_id, snapshot.tick, time.perf_counter())
        if order.type == "join" and order_status is not None and order_status.status == "rejected":
            self.adopt(snapshot)


class Swarm(_OrderingUser):
    """Sends batches of orders, and waits for the outcome of a sample."""

    @task
    def swarm(self) -> None:
        """Send a batch."""
        self.do(self._swarm())

    async def _swarm(self) -> None:
        snapshot = await self.measured("GET /snapshot", self.client.snapshot())
        if not any(each.id == self.faction for each in snapshot.factions):
            self.adopt(snapshot)
        orders = self.choose(snapshot, self.options.batch)
        name = f"POST /orders, {self.options.batch} at once"
        results = await self.measured(name, self.client.orders(orders))
        given_s = time.perf_counter()
        accepted = self._checked(orders, results)
        # Orders are applied in the order of the log: if the last one has its outcome, all must have.
        for order_id in [*accepted[-1:], *random.sample(accepted, min(_SAMPLED, len(accepted)))]:
            await self.follow(order_id, snapshot.tick, given_s)

    def _checked(self, orders: Sequence[Order], results: Sequence[str | RequestRejected]) -> list[str]:
        accepted = [each for each in results if isinstance(each, str)]
        refused = [each for each in results if isinstance(each, RequestRejected)]
        if len(results) != len(orders):
            self.note(
                REQUEST, "answers of a batch", 0, PromiseBroken(f"{len(results)} answers to {len(orders)} orders")
            )
        for each in refused:
            # An order may become invalid after the player chose it, for example if its faction was eliminated.
            if each.problem.status != _NOT_VALID:
                self.note(REQUEST, "answers of a batch", 0, each)
        return accepted


_NOT_VALID = 422
