"""The client: one sim, one token. Requests are sent again where the API is away, and orders carried out once all the same."""

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import Self

import httpx

from sector.client.asking import ask
from sector.client.clock import Clock, SystemClock
from sector.client.errors import Refused
from sector.client.stream import Gap, follow
from sector.models import ORDER, Event, Order, Snapshot
from sector.models.answers import Accepted, AskedFor, EventPage, OrderStatus, Results, SimDetails, SimPage
from sector.models.config import SimConfig
from sector.models.secret_text import clean_token
from sector.models.urls import parse_http_url


class Client:
    """Asks the API at `url` for one sim: `sim`, or the one that it serves by itself.

    Raises, from each method: Refused where the API says no, Unavailable where it was away for `patience_s` seconds.
    `clock`: what it waits by, if not by the machine's clock. Raises ValueError for a URL or a token that cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        sim: str = "",
        patience_s: float = 10.0,
        timeout_s: float = 5.0,
        clock: Clock | None = None,
    ) -> None:
        self._root = parse_http_url(url, userinfo=True).text
        token = clean_token(token)
        self._sim_id = sim
        self._sim = f"{self._root}/sims/{sim}" if sim else self._root
        self._patience_s = patience_s
        self._timeout_s = timeout_s
        self._clock = clock or SystemClock()
        self._http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}"} if token else {}, timeout=httpx.Timeout(timeout_s)
        )
        self._seen: tuple[str, Snapshot] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def snapshot(self, tick: int | None = None) -> Snapshot:
        """Return the newest state, the same object while it did not change; or that at an earlier tick."""
        if tick is not None:
            found = await self._get(f"{self._sim}/snapshot", params={"tick": tick})
            return Snapshot.model_validate_json(found.content)
        headers = {"If-None-Match": self._seen[0]} if self._seen else {}
        answer = await self._get(f"{self._sim}/snapshot", headers=headers)
        if self._seen is None or answer.status_code != httpx.codes.NOT_MODIFIED:
            self._seen = answer.headers.get("etag", ""), Snapshot.model_validate_json(answer.content)
        return self._seen[1]

    async def order(self, order: Order, *, key: str = "") -> str:
        """Give an order; returns its id. It is in the log once, however often it had to be sent.

        `key`: an idempotency key of the caller's, so that it is known again after the caller itself began anew.
        """
        answer = await self._post(f"{self._sim}/orders", ORDER.dump_json(order), key)
        return Accepted.model_validate_json(answer.content).id

    async def orders(self, orders: Sequence[Order], *, key: str = "") -> list[str | Refused]:
        """Give up to 1,000 orders; returns for each its id, or why it was refused."""
        body = b"[%b]" % b",".join(ORDER.dump_json(each) for each in orders)
        answer = await self._post(f"{self._sim}/orders", body, key)
        results = Results.model_validate_json(answer.content).results
        return [each.id or Refused(each.problem) if each.problem else each.id or "" for each in results]

    async def outcome(self, order_id: str, *, wait_s: float = 0.0) -> OrderStatus:
        """Return what became of an order; with `wait_s`, once it is known, or pending after so many seconds, 30 at most."""
        params = {"wait": f"{wait_s:.3f}s"} if wait_s else None
        answer = await self._get(f"{self._sim}/orders/{order_id}", params=params, wait_s=wait_s)
        return OrderStatus.model_validate_json(answer.content)

    async def events(
        self,
        *,
        after: str = "0-0",
        kinds: Sequence[str] = (),
        faction: str = "",
        limit: int = 1000,
    ) -> EventPage:
        """Return a page of events after event `after`: of these types, and those that concern the faction."""
        params = {"after": after, "limit": str(limit), **_wanted(kinds, faction)}
        return EventPage.model_validate_json((await self._get(f"{self._sim}/events", params=params)).content)

    def follow(self, *, after: str = "", kinds: Sequence[str] = (), faction: str = "") -> AsyncIterator[Event | Gap]:
        """Yield events as they happen, after event `after` or from now on, and where the stream breaks go on after the last one."""
        url = f"{self._sim}/events/stream"
        return follow(self._http, url, _wanted(kinds, faction), after, self._patience_s, self._clock)

    async def sims(self, *, after: str = "", limit: int = 1000) -> SimPage:
        """Return a page of the sims that there are, by id."""
        params = {"limit": str(limit)} | ({"after": after} if after else {})
        return SimPage.model_validate_json((await self._get(f"{self._root}/sims", params=params)).content)

    async def sim(self, sim_id: str = "") -> SimDetails:
        """Return the config of a sim, its head, its tick length, and the ticks that can be read. Default: this client's sim."""
        sim_id = sim_id or self._sim_id or (await self.snapshot()).sim
        return SimDetails.model_validate_json((await self._get(f"{self._root}/sims/{sim_id}")).content)

    async def found(self, sim_id: str, config: SimConfig) -> AskedFor:
        """Ask for a new sim; a worker that serves all sims founds it."""
        body = b'{"id":"%b","config":%b}' % (sim_id.encode(), config.model_dump_json(exclude_unset=True).encode())
        return AskedFor.model_validate_json((await self._post(f"{self._root}/sims", body)).content)

    async def fork(self, new_id: str, *, tick: int) -> AskedFor:
        """Ask for a sim that begins where this one was at `tick`."""
        answer = await self._post(f"{self._sim}/fork?tick={tick}", b'{"id":"%b"}' % new_id.encode())
        return AskedFor.model_validate_json(answer.content)

    async def _get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: dict[str, str] | None = None,
        wait_s: float = 0.0,
    ) -> httpx.Response:
        """Ask, and again while the API is away. `wait_s`: how much longer than other answers this one may take."""
        timeout_s = self._timeout_s + wait_s
        request = self._http.build_request("GET", url, params=params, headers=headers, timeout=timeout_s)
        return await ask(self._http, request, self._patience_s + wait_s, self._clock)

    async def _post(self, url: str, body: bytes, key: str = "") -> httpx.Response:
        headers = {"Content-Type": "application/json", "Idempotency-Key": key or uuid.uuid4().hex}
        request = self._http.build_request("POST", url, content=body, headers=headers)
        return await ask(self._http, request, self._patience_s, self._clock)


def _wanted(kinds: Sequence[str], faction: str) -> dict[str, str]:
    found = {"type": ",".join(kinds)} if kinds else {}
    return found | ({"faction": faction} if faction else {})
