"""JSON Schema files of orders and events, beside this module, for programs in other languages.

`python -m sector.models.schemas` writes them.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import TypeAdapter

from sector.models.events import EVENT, Event
from sector.models.orders import ORDER, Order

FILES: Mapping[str, TypeAdapter[Order] | TypeAdapter[Event]] = {
    "orders.schema.json": ORDER,
    "events.schema.json": EVENT,
}
"""The type that each file describes (JSON Schema 2020-12)."""


def text(name: str) -> str:
    """Return the content of the file `name`."""
    schema = FILES[name].json_schema()
    about = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name.partition(".")[0]}
    return json.dumps(about | schema, indent=1, sort_keys=True) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the files."""
    argparse.ArgumentParser(
        prog="python -m sector.models.schemas",
        description="Writes the JSON Schemas of orders and events beside this module.",
        epilog="example: python -m sector.models.schemas",
    ).parse_args(arguments)
    for name in FILES:
        (Path(__file__).parent / name).write_text(text(name))


if __name__ == "__main__":
    main()
