"""`Client`: an asynchronous client of the HTTP API, for one sim and with one token.

It retries requests while the API is unreachable. An idempotency key makes each order take effect once.
"""

import os
import ssl
import uuid
import warnings
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import Self

import httpx
from pydantic import TypeAdapter
from pydantic_core import to_json

from sector.client.clock import Clock, SystemClock
from sector.client.errors import RequestRejected
from sector.client.retry import send_with_retry
from sector.client.stream import Gap, follow
from sector.models import ORDER, Event, Order, Snapshot
from sector.models.certificates import authorities_context
from sector.models.config import SimConfig
from sector.models.deprecated_names import adopt_earlier_overrides, is_adopted
from sector.models.responses import AcceptedOrder, EventPage, OrderStatus, RequestedSim, Results, SimDetails, SimPage
from sector.models.secret_text import clean_token
from sector.models.urls import parse_http_url

_ORDERS: TypeAdapter[Sequence[Order]] = TypeAdapter(Sequence[Order])


class Client:
    """An asynchronous client of the HTTP API, for one sim. Use it with `async with`, or call `close` at the end.

    Each method raises RequestRejected if the API rejects the request. It raises Unavailable if the API is unreachable for
    `retry_timeout_s` seconds.

    Args:
        url: The URL of the API, such as `http://127.0.0.1:8000`.
        token: The bearer token. By default only writes need one.
        sim: The id of the sim. Default: the sim of the API.
        retry_timeout_s: For how many seconds a request is retried.
        timeout_s: The timeout of one attempt of a request, in seconds.
        clock: The clock of the retries, which tests replace.
        patience_s: The earlier name of `retry_timeout_s`, with a warning.

    Raises:
        ValueError: The URL, the token or the file of SSL_CERT_FILE is invalid.
    """

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        adopt_earlier_overrides(cls, {"found": "create_sim"})

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        sim: str = "",
        retry_timeout_s: float = 10.0,
        timeout_s: float = 5.0,
        clock: Clock | None = None,
        patience_s: float | None = None,
    ) -> None:
        if patience_s is not None:
            warnings.warn("Client(patience_s=) is now Client(retry_timeout_s=)", DeprecationWarning, stacklevel=2)
            retry_timeout_s = patience_s
        self._root = parse_http_url(url, userinfo=True).text
        token = clean_token(token)
        self._sim_id = sim
        self._sim = f"{self._root}/sims/{sim}" if sim else self._root
        self._retry_timeout_s = retry_timeout_s
        self._timeout_s = timeout_s
        self._clock = clock or SystemClock()
        self._http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx.Timeout(timeout_s),
            verify=_tls_context(),
        )
        self._latest: tuple[str, Snapshot] | None = None
        """The newest snapshot, and its ETag."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections of the client."""
        await self._http.aclose()

    async def snapshot(self, tick: int | None = None) -> Snapshot:
        """Return the snapshot of `tick`, or the newest one.

        The newest snapshot is the same object until it changes: the client sends its ETag.
        """
        if tick is not None:
            response = await self._get(f"{self._sim}/snapshot", params={"tick": tick})
            return Snapshot.model_validate_json(response.content)
        headers = {"If-None-Match": self._latest[0]} if self._latest else {}
        response = await self._get(f"{self._sim}/snapshot", headers=headers)
        if self._latest is None or response.status_code != httpx.codes.NOT_MODIFIED:
            self._latest = response.headers.get("etag", ""), Snapshot.model_validate_json(response.content)
        return self._latest[1]

    async def order(self, order: Order, *, key: str = "") -> str:
        """Submit an order and return its id.

        The API stores an order once per idempotency key, however often the request is sent.

        Args:
            order: The order.
            key: An idempotency key. A caller that restarts passes the same key again, so that the order takes effect once.
                Default: a random key.
        """
        response = await self._post(f"{self._sim}/orders", ORDER.dump_json(order), key)
        return AcceptedOrder.model_validate_json(response.content).id

    async def orders(self, orders: Sequence[Order], *, key: str = "") -> list[str | RequestRejected]:
        """Submit up to 1,000 orders. Return one item for each, in their order: its id, or the error that rejected it.

        Args:
            orders: The orders.
            key: An idempotency key of the whole request, as in `order`.
        """
        body = _ORDERS.dump_json(orders)
        response = await self._post(f"{self._sim}/orders", body, key)
        results = Results.model_validate_json(response.content).results
        return [each.id or RequestRejected(each.problem) if each.problem else each.id or "" for each in results]

    async def outcome(self, order_id: str, *, wait_s: float = 0.0) -> OrderStatus:
        """Return the status of an order.

        Args:
            order_id: The id of the order.
            wait_s: For how many seconds the API waits until the order is applied or rejected, at most 30.
        """
        params = {"wait": f"{wait_s:.3f}s"} if wait_s else None
        response = await self._get(f"{self._sim}/orders/{order_id}", params=params, wait_s=wait_s)
        return OrderStatus.model_validate_json(response.content)

    async def events(
        self,
        *,
        after: str = "0-0",
        kinds: Sequence[str] = (),
        faction: str = "",
        limit: int = 1000,
    ) -> EventPage:
        """Return a page of events, oldest first.

        Args:
            after: The id of the event that precedes the page. Default: the page begins with the first stored event.
            kinds: The types of events to include. Default: all.
            faction: Only events that concern this faction. Default: all.
            limit: The maximum of events in the page.
        """
        params = {"after": after, "limit": str(limit), **_event_filter(kinds, faction)}
        return EventPage.model_validate_json((await self._get(f"{self._sim}/events", params=params)).content)

    def follow(self, *, after: str = "", kinds: Sequence[str] = (), faction: str = "") -> AsyncIterator[Event | Gap]:
        """Yield events as they happen, and a Gap where events are no longer stored.

        After a lost connection the client reconnects and resumes after the last event.

        Args:
            after: The id of the event that precedes the first one. Default: begin now.
            kinds: The types of events to include. Default: all.
            faction: Only events that concern this faction. Default: all.

        Raises:
            RequestRejected: The API rejected the request.
            Unavailable: There was no connection for `retry_timeout_s` seconds.
        """
        url = f"{self._sim}/events/stream"
        return follow(self._http, url, _event_filter(kinds, faction), after, self._retry_timeout_s, self._clock)

    async def sims(self, *, after: str = "", limit: int = 1000) -> SimPage:
        """Return a page of sims, sorted by id.

        Args:
            after: The id that precedes the page. Default: the page begins with the first sim.
            limit: The maximum of sims in the page.
        """
        params = {"limit": str(limit)} | ({"after": after} if after else {})
        return SimPage.model_validate_json((await self._get(f"{self._root}/sims", params=params)).content)

    async def sim(self, sim_id: str = "") -> SimDetails:
        """Return the config of a sim, its head, its tick length, and the range of ticks that are stored.

        Default: this client's sim.
        """
        sim_id = sim_id or self._sim_id or (await self.snapshot()).sim
        return SimDetails.model_validate_json((await self._get(f"{self._root}/sims/{sim_id}")).content)

    async def create_sim(self, sim_id: str, config: SimConfig) -> RequestedSim:
        """Request a new sim, which a worker that serves all sims creates. The token needs the scope `admin`."""
        body = to_json({"id": sim_id, "config": config.model_dump(mode="json", exclude_unset=True)})
        return RequestedSim.model_validate_json((await self._post(f"{self._root}/sims", body)).content)

    async def found(self, sim_id: str, config: SimConfig) -> RequestedSim:
        """Request a new sim. Deprecated: use `create_sim`."""
        warnings.warn("Client.found is now Client.create_sim", DeprecationWarning, stacklevel=2)
        if is_adopted(type(self), "found", "create_sim"):
            # An override of `found`, which stands for `create_sim` too, called this one.
            return await Client.create_sim(self, sim_id, config)
        return await self.create_sim(sim_id, config)

    async def fork(self, new_id: str, *, tick: int) -> RequestedSim:
        """Request a sim that begins with the state of this one at `tick`. The token needs the scope `admin`."""
        response = await self._post(f"{self._sim}/fork?tick={tick}", to_json({"id": new_id}))
        return RequestedSim.model_validate_json(response.content)

    async def _get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: dict[str, str] | None = None,
        wait_s: float = 0.0,
    ) -> httpx.Response:
        """Send a GET request, with retries. `wait_s`: seconds that the API may take in addition to the usual timeouts."""
        timeout_s = self._timeout_s + wait_s
        request = self._http.build_request("GET", url, params=params, headers=headers, timeout=timeout_s)
        return await send_with_retry(self._http, request, self._retry_timeout_s + wait_s, self._clock)

    async def _post(self, url: str, body: bytes, key: str = "") -> httpx.Response:
        headers = {"Content-Type": "application/json", "Idempotency-Key": key or uuid.uuid4().hex}
        request = self._http.build_request("POST", url, content=body, headers=headers)
        return await send_with_retry(self._http, request, self._retry_timeout_s, self._clock)


def _event_filter(kinds: Sequence[str], faction: str) -> dict[str, str]:
    type_filter = {"type": ",".join(kinds)} if kinds else {}
    return type_filter | ({"faction": faction} if faction else {})


def _tls_context() -> ssl.SSLContext | bool:
    """Return what HTTPX would make of SSL_CERT_FILE; True for its default. Raises FileError."""
    path = os.environ.get("SSL_CERT_FILE")
    return authorities_context(path) if path else True
