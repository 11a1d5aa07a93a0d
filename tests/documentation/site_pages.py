"""The built site as a browser loads it: pages, their anchors, links, and assets."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

_LOADS = {"script": "src", "img": "src", "source": "src", "iframe": "src", "video": "src", "link": "href"}


@dataclass
class PageContent(HTMLParser):
    """The anchors, links and loads of one page."""

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the attributes of an element."""
        values = {name: value for name, value in attrs if value is not None}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if (load := values.get(_LOADS.get(tag, ""))) and values.get("rel") not in {"canonical", "prev", "next"}:
            self.loads.append(load)
        self.loads += re.findall(r"url\(['\"]?([^'\")]+)", values.get("style", ""))


def parse_site(folder: Path) -> dict[str, PageContent]:
    """Return the pages of a built site by path."""
    pages = {}
    for path in sorted(folder.rglob("*.html")):
        page = PageContent()
        page.feed(path.read_text())
        pages[path.relative_to(folder).as_posix()] = page
    return pages


def dead_links(folder: Path, pages: dict[str, PageContent]) -> Iterator[str]:
    """Yield the links whose page or anchor is missing."""
    for path, page in pages.items():
        for link in page.links:
            if not is_foreign(link) and not _exists(folder, pages, path, link):
                yield f"{path}: {link}"


def is_foreign(url: str) -> bool:
    """Say whether a URL leads to another host."""
    return re.match(r"(?!data:)([a-z][a-z0-9+.-]*:|//)", url, re.IGNORECASE) is not None


def _exists(folder: Path, pages: dict[str, PageContent], path: str, link: str) -> bool:
    target, _, anchor = (unquote(part) for part in link.partition("#"))
    base = "" if target.startswith("/") else posixpath.dirname(path)
    linked = posixpath.normpath(posixpath.join(base, target.lstrip("/"))) if target else path
    if (folder / linked).is_dir():
        linked = posixpath.normpath(f"{linked}/index.html")
    if linked not in pages:
        return (folder / linked).is_file()
    return not anchor or anchor in pages[linked].anchors
