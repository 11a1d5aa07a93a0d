"""Clients of an API whose address changes."""

from collections.abc import Callable

from sector.client import Client

type Where = Callable[[], str | None]
"""Returns the current URL of a service; None while it does not run."""


class Clients:
    """Creates one client per address of the API. `sim_id`: the sim of the API."""

    def __init__(self, where: Where, *, patience_s: float, sim_id: str = "") -> None:
        self._where = where
        self._patience_s = patience_s
        self._by_url: dict[str, Client] = {}
        self.sim_id = sim_id

    def now(self) -> Client | None:
        """Return the current client; None while the API does not run."""
        url = self._where()
        if url is not None and url not in self._by_url:
            self._by_url[url] = Client(url, retry_timeout_s=self._patience_s)
        return None if url is None else self._by_url[url]

    async def close(self) -> None:
        """Close all clients."""
        for client in self._by_url.values():
            await client.close()
