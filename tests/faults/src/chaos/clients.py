"""A client of an API wherever that is at the moment."""

from collections.abc import Callable

from sector.client import Client

type Where = Callable[[], str | None]
"""Where a service is at the moment; None while it does not run."""


class Clients:
    """Makes one for each address at which the API was. `sim_id`: of which sim it is, for whoever wants to know."""

    def __init__(self, where: Where, *, patience_s: float, sim_id: str = "") -> None:
        self._where = where
        self._patience_s = patience_s
        self._by_url: dict[str, Client] = {}
        self.sim_id = sim_id

    def now(self) -> Client | None:
        """Return it, or None while the API does not run."""
        url = self._where()
        if url is not None and url not in self._by_url:
            self._by_url[url] = Client(url, patience_s=self._patience_s)
        return None if url is None else self._by_url[url]

    async def close(self) -> None:
        """Close all of them."""
        for client in self._by_url.values():
            await client.close()
