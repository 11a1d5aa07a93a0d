"""Printable: text of foreign origin, as it may be shown on a terminal or in a message."""

from reprlib import Repr

_repr = Repr(maxstring=60, maxother=60, maxlong=40, maxdict=2, maxlist=2, maxtuple=2, maxlevel=2)


def printable(text: str) -> str:
    """Return a text in which what moves the cursor, colours or rings is escaped, as in a Python string."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def shown(value: object) -> str:
    """Return a value as Python writes it, cut to some 60 characters."""
    return _repr.repr(value)
