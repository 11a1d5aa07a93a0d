"""The bodies of one view of a sim: in each format and coding that is asked for, made once for everybody."""

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
type Coding = Literal["zstd", "br", "gzip", ""]

FORMATS: tuple[Format, ...] = get_args(Format.__value__)
_LARGE_ROWS = 2_000
"""From so many on they are made in a thread, so that others are answered meanwhile."""

_MAKE: Mapping[Format, Callable[[SimView], JsonValue]] = {
    "rows": lambda view: view.rows(),
    "columns": lambda view: view.columns(),
    "map": lambda view: {"sim": view.sim_id, **{name: list(rows) for name, rows in table_rows([view.map]).items()}},
}
_ENCODE: Mapping[Coding, Callable[[bytes], bytes]] = {
    "": lambda body: body,
    "zstd": lambda body: zstandard.ZstdCompressor(level=3).compress(body),
    "br": lambda body: brotli.compress(body, quality=4),
    "gzip": lambda body: gzip.compress(body, compresslevel=5, mtime=0),
}


class EncodedViews:
    """Those of `view`."""

    def __init__(self, view: SimView) -> None:
        self.view = view
        self.ready: dict[tuple[Format, Coding], bytes] = {}
        self._making: dict[tuple[Format, Coding], asyncio.Task[bytes]] = {}
        self._large = sum(table.rows for frame in (view.map, view.snapshot) for table in frame.tables.values())

    def tag(self, kind: Format, coding: Coding) -> str:
        """Return the strong ETag of a body."""
        return f'"{"map" if kind == "map" else self.view.head.hash}-{kind}{f"-{coding}" if coding else ""}"'

    async def body(self, kind: Format, coding: Coding) -> bytes:
        """Return a body; of those who ask at once, one has it made."""
        found = self.ready.get((kind, coding))
        if found is not None:
            return found
        if self._large < _LARGE_ROWS:
            return self._made(kind, coding)
        making = self._making.get((kind, coding))
        if making is None:
            making = asyncio.create_task(asyncio.to_thread(self._made, kind, coding))
            self._making[kind, coding] = making
        return await asyncio.shield(making)

    def _made(self, kind: Format, coding: Coding) -> bytes:
        plain = self.ready.get((kind, ""))
        if plain is None:
            plain = self.ready[kind, ""] = orjson.dumps(_MAKE[kind](self.view))
        body = self.ready[kind, coding] = _ENCODE[coding](plain)
        return body


@lru_cache(maxsize=512)
def negotiate_encoding(accepted: str) -> Coding:
    """Return the coding to use for an Accept-Encoding (RFC 9110, 12.5.3): of those wanted most the one that packs best."""
    weights: dict[str, float] = {}
    for each in accepted.lower().split(","):
        name, _, parameter = each.strip().partition(";")
        try:
            weights[name.strip()] = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            weights[name.strip()] = 0.0
    best: Coding = ""
    weight = weights.get("identity", 0.0)
    for coding in ("zstd", "br", "gzip"):
        wanted = weights.get(coding, weights.get("*", 0.0))
        if wanted > weight or (wanted == weight > 0 and not best):
            best, weight = coding, wanted
    return best
