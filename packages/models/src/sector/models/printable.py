"""Foreign text in a form that is safe for terminals and messages."""

from reprlib import Repr

_repr = Repr(maxstring=60, maxother=60, maxlong=40, maxdict=2, maxlist=2, maxtuple=2, maxlevel=2)


def printable(text: str) -> str:
    """Return a text with control characters escaped as in a Python string, so that it cannot control a terminal."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def shown(value: object) -> str:
    """Return the Python representation of a value, shortened to about 60 characters."""
    return _repr.repr(value)
