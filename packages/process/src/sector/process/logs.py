"""Logs: one line of JSON per message, or a coloured line of text on a terminal.

Values that are bound in `structlog.contextvars` (sim, tick, worker, …) or passed as `extra` are separate fields.
"""

import logging
import sys
import time
from collections.abc import Mapping
from functools import partial
from io import StringIO
from typing import Literal, TextIO

import orjson
import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from sector.process.log_stream import log_stream
from sector.process.redaction import redact

type Format = Literal["auto", "json", "text"]

_INTERNAL = ("color_message", "taskName")


def configure(service: str, level: str, style: Format) -> None:
    """Send all log messages to standard error. `auto` means text on a terminal and JSON otherwise.

    A slow reader of the log does not block the process. Lines that cannot be written at once are dropped and counted.
    """
    as_json = is_json(style)
    stream = log_stream()
    stream.notice = partial(_notice, service, as_json=as_json)
    # The interpreter also writes its warnings and tracebacks there.
    sys.stderr = stream
    # The interpreter goes back to this one when it ends: the traceback of a finalizer would wait there for the reader of the log.
    sys.__stderr__ = stream  # type: ignore[assignment,misc]  # it is declared as final
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.stdlib.ExtraAdder(),
                partial(_add_service, service),
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(as_json=as_json)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("sanic").setLevel(logging.WARNING)


def is_json(style: Format) -> bool:
    """Say whether a format means JSON in this process."""
    return style == "json" or (style == "auto" and not log_stream().isatty())


def _notice(service: str, lines: int, *, as_json: bool) -> str:
    event = "log lines dropped, reader too slow"
    if not as_json:
        return f"{time.strftime('%H:%M:%S')} [warning  ] {event} dropped={lines}\n"
    fields = {"at_ms": time.time_ns() // 1_000_000, "level": "warning", "service": service, "event": event}
    return line({**fields, "dropped": lines}) + "\n"


def _add_service(service: str, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
    event["service"] = service
    for name in _INTERNAL:
        event.pop(name, None)
    return event


def _renderers(*, as_json: bool) -> list[Processor]:
    if as_json:
        return [_add_time, structlog.processors.format_exc_info, _as_json]
    return [
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
        _escape_values,
        structlog.dev.ConsoleRenderer(colors=log_stream().isatty(), pad_event_to=0, exception_formatter=_traceback),
    ]


def _escape_values(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = printable(value)
    return event


def _traceback(stream: TextIO, failure: ExcInfo) -> None:
    text = StringIO()
    structlog.dev.plain_traceback(text, failure)
    # Indentation shows that the lines belong to an error, since its text may look like messages.
    stream.write("\n".join(f"    {printable(each)}" for each in text.getvalue().split("\n")))


def printable(text: str) -> str:
    """Return a text with its secrets removed and its control characters escaped.

    Text from clients must not control the terminal of a reader, or begin a line in a text log.
    """
    text = redact(text)
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _add_time(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    event["at_ms"] = time.time_ns() // 1_000_000
    return event


def _as_json(_: WrappedLogger, __: str, event: EventDict) -> str:
    # The most important fields for readers come first.
    return line(
        {**{name: event.pop(name) for name in ("at_ms", "level", "service", "event") if name in event}, **event}
    )


def line(fields: Mapping[str, object]) -> str:
    """Return fields as a line of JSON without secrets.

    It contains only printable characters, because operators may read it on a terminal.
    """
    values = {name: _printable(value) for name, value in fields.items()}
    text = redact(orjson.dumps(values, default=repr, option=orjson.OPT_NON_STR_KEYS).decode())
    if text.isprintable():
        return text
    # JSON does not escape these: DEL, C1 controls, U+2028 and U+2029, and marks that reverse text.
    return "".join(each if each.isprintable() else _json_escape(each) for each in text)


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _printable(value: object) -> object:
    # Text from the network or the environment may have lone surrogates, which JSON cannot encode.
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case list() | tuple():
            return [_printable(each) for each in value]
        case dict():
            return {name: _printable(each) for name, each in value.items()}
        case _:
            return value
