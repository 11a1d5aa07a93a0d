"""Links of Markdown pages: reading them, and writing other targets in their place."""

import re
from collections.abc import Callable, Iterator

_FENCE = re.compile(r"^ *(```+|~~~+)")
_CODE_SPAN = re.compile(r"(`+[^`]+`+)")
_INLINE = re.compile(r"(\]\()([^()\s]+)((?:\s+\"[^\"]*\")?\))")
_REFERENCE = re.compile(r"^(\[[^\]]+\]:\s+)(\S+)()")
_HTML = re.compile(r"(<(?:img|a)\s[^>]*?(?:src|href)=\")([^\"]+)(\")")
_HEADING = re.compile(r"^#\s+(.*?)\s*#*$")


def replace_links(text: str, replace: Callable[[str], str]) -> str:
    """Return the page with each link target replaced, except in code."""
    return "".join(line if is_code else _replace_in_line(line, replace) for line, is_code in _lines(text))


def link_targets(text: str) -> list[str]:
    """Return the link targets of a page, in order."""
    targets: list[str] = []

    def remember(target: str) -> str:
        targets.append(target)
        return target

    replace_links(text, remember)
    return targets


def page_title(text: str, default: str) -> str:
    """Return the text of the first heading of level 1, without markup."""
    for line, is_code in _lines(text):
        if not is_code and (match := _HEADING.match(line.rstrip("\n"))):
            return re.sub(r"\[([^\]]*)\]\([^)]*\)|[`*]", r"\1", match[1])
    return default


def is_external(target: str) -> bool:
    """Return whether a target has a scheme or a host, and so leaves the repository."""
    return re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//", target) is not None


def _lines(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each line, and whether it belongs to a block of code."""
    fence = ""
    for line in text.splitlines(keepends=True):
        match = _FENCE.match(line)
        if fence:
            yield line, True
            if match and match[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        elif match:
            fence = match[1]
            yield line, True
        else:
            yield line, False


def _replace_in_line(line: str, replace: Callable[[str], str]) -> str:
    def substitute(match: re.Match[str]) -> str:
        return f"{match[1]}{replace(match[2])}{match[3]}"

    if _REFERENCE.match(line):
        return _REFERENCE.sub(substitute, line)
    # A code span may contain anything; a link may contain a code span, but not in its target.
    parts = _CODE_SPAN.split(line)
    if any("](" in part for part in parts[1::2]):
        return "".join(part if n % 2 else _substitute_all(part, substitute) for n, part in enumerate(parts))
    return _substitute_all(line, substitute)


def _substitute_all(text: str, substitute: Callable[[re.Match[str]], str]) -> str:
    return _HTML.sub(substitute, _INLINE.sub(substitute, text))
