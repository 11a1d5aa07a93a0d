"""Encoded bodies of one view of a sim. Each format and content coding is encoded once, for all requests."""

import asyncio
import gzip
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Literal, get_args

import brotli
import orjson
import zstandard
from pydantic import JsonValue

from sector.models.rows import table_rows
from sector.state.watch.reader import SimView

type Format = Literal["rows", "columns", "map"]
type Coding = Literal["zstd", "br", "gzip", "identity"]

FORMATS: tuple[Format, ...] = get_args(Format.__value__)
SNAPSHOT_FORMATS: tuple[Format, ...] = ("rows", "columns")
_MIN_THREAD_ROWS = 2_000
"""A view with at least this number of rows is encoded in a thread, so that the API answers other requests meanwhile."""

_MAKE: Mapping[Format, Callable[[SimView], JsonValue]] = {
    "rows": lambda view: view.rows(),
    "columns": lambda view: view.columns(),
    "map": lambda view: {"sim": view.sim_id, **{name: list(rows) for name, rows in table_rows([view.map]).items()}},
}
_COMPRESS: Mapping[Coding, Callable[[bytes], bytes]] = {
    "identity": lambda body: body,
    "zstd": lambda body: zstandard.ZstdCompressor(level=3).compress(body),
    "br": lambda body: brotli.compress(body, quality=4),
    "gzip": lambda body: gzip.compress(body, compresslevel=5, mtime=0),
}


class EncodedViews:
    """Cache of the encoded bodies of `view`."""

    def __init__(self, view: SimView) -> None:
        self.view = view
        self._bodies: dict[tuple[Format, Coding], bytes] = {}
        self._pending: dict[tuple[Format, Coding], asyncio.Task[bytes]] = {}
        self._rows = sum(table.rows for frame in (view.map, view.snapshot) for table in frame.tables.values())

    def etag(self, form: Format, coding: Coding) -> str:
        """Return the strong ETag of a body."""
        suffix = "" if coding == "identity" else f"-{coding}"
        return f'"{"map" if form == "map" else self.view.head.hash}-{form}{suffix}"'

    async def get(self, form: Format, coding: Coding) -> bytes:
        """Return a body. Concurrent requests for the same body wait for one encoding of it."""
        body = self._bodies.get((form, coding))
        if body is not None:
            return body
        if self._rows < _MIN_THREAD_ROWS:
            return self._encode(form, coding)
        pending = self._pending.get((form, coding))
        if pending is None:
            pending = asyncio.create_task(asyncio.to_thread(self._encode, form, coding))
            self._pending[form, coding] = pending
        return await asyncio.shield(pending)

    def _encode(self, form: Format, coding: Coding) -> bytes:
        plain = self._bodies.get((form, "identity"))
        if plain is None:
            plain = self._bodies[form, "identity"] = orjson.dumps(_MAKE[form](self.view))
        body = self._bodies[form, coding] = _COMPRESS[coding](plain)
        return body


@lru_cache(maxsize=512)
def negotiate_encoding(accept_encoding: str) -> Coding:
    """Return the content coding for an Accept-Encoding (RFC 9110, 12.5.3): the smallest of those with the highest weight."""
    weights: dict[str, float] = {}
    for each in accept_encoding.lower().split(","):
        name, _, parameter = each.strip().partition(";")
        try:
            weights[name.strip()] = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            weights[name.strip()] = 0.0
    best: Coding = "identity"
    best_weight = weights.get(best, 0.0)
    for coding in ("zstd", "br", "gzip"):
        weight = weights.get(coding, weights.get("*", 0.0))
        if weight > best_weight or (weight == best_weight > 0 and best == "identity"):
            best, best_weight = coding, weight
    return best
