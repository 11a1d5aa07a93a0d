"""Redaction: removes the secrets of this process from logs and tracebacks, in every form in which a library may quote
them.
"""

import re
import sys
import threading
import traceback
from collections.abc import Iterable
from types import TracebackType
from urllib.parse import quote, quote_plus

import orjson

from sector.models.printable import printable

HIDDEN = "***"
MIN_LENGTH = 8
"""Shorter secrets may be common words, which would be hidden everywhere in the log. In URLs they are always hidden."""

_PATTERNS = (
    # `user:password@` in any URL.
    (re.compile(r"://[^\s/\"'<>@]{1,512}@"), f"://{HIDDEN}@"),
    # A header, as libraries quote it.
    (re.compile(r"\b([Bb]earer|[Bb]asic)\s+[\w.~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    # A token (JWS compact serialization, RFC 7515).
    (re.compile(r"\beyJ[\w-]{6,}\.[\w-]{2,}(\.[\w-]*)?"), HIDDEN),
    # The private members of a key (RFC 7518, section 6).
    (re.compile(r"""(\\?["'](?:k|d|p|q|dp|dq|qi)\\?["']\s*:\s*\\?["'])[\w+/=-]{8,}"""), rf"\1{HIDDEN}"),
)
_HINTS = ("://", "earer ", "asic ", "eyJ", '": ', '":"', "': ")

_forms: dict[str, None] = {}
"""Each registered secret in all forms in which it may be quoted, the longest first."""


def register_secrets(secrets: Iterable[str]) -> None:
    """Hide these texts in logs and tracebacks from now on."""
    for secret in secrets:
        if len(secret) < MIN_LENGTH:
            continue
        quoted = repr(secret)[1:-1]
        in_json = (orjson.dumps(each)[1:-1].decode() for each in (secret, quoted))
        in_urls = (quote(secret), quote(secret, safe=""), quote_plus(secret))
        _forms.update(dict.fromkeys((secret, quoted, *in_json, *in_urls)))
    for form in sorted(_forms, key=len, reverse=True):
        _forms[form] = _forms.pop(form)


def redact(text: str) -> str:
    """Return a text without the registered secrets and without text that looks like a secret."""
    for form in _forms:
        if form in text:
            text = text.replace(form, HIDDEN)
    if any(hint in text for hint in _HINTS):
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
    return text


def redact_tracebacks() -> None:
    """Remove secrets and control characters from the tracebacks of uncaught exceptions."""
    sys.excepthook = _write_traceback
    threading.excepthook = lambda failure: _write_traceback(failure.exc_type, failure.exc_value, failure.exc_traceback)


def _write_traceback(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    text = redact("".join(traceback.format_exception(kind, error, trace)))
    sys.stderr.write("\n".join(map(printable, text.split("\n"))))
