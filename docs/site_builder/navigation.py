"""The navigation of the site, from its folders."""

import posixpath
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from site_builder.links import is_external, link_targets, page_title

Navigation: TypeAlias = list["dict[str, str | Navigation]"]

_FOLDERS = ("tutorial", "guides", "concepts", "reference", "decisions", "project")
"""The sections in the order in which a newcomer reads them. Others follow."""
_REPOSITORY = "repository"


def build_navigation(folder: Path, paths: Iterable[str]) -> Navigation:
    """Return the navigation for these pages, paths below `folder`: a section for each folder."""
    pages = {path: page_title((folder / path).read_text(), Path(path).stem) for path in paths}
    sections: dict[str, list[str]] = {}
    for path in pages:
        sections.setdefault(path.partition("/")[0] if "/" in path else "", []).append(path)
    own = sections.pop("", [])
    project = sections.pop(_REPOSITORY, [])
    names = sorted(sections, key=lambda name: (_FOLDERS.index(name) if name in _FOLDERS else len(_FOLDERS), name))
    navigation: Navigation = [{pages[path]: path} for path in _in_order(folder, own) if _is_index(path)]
    navigation += [{name.capitalize(): _entries(folder, sections[name], pages)} for name in names]
    navigation += [{pages[path]: path} for path in _in_order(folder, own) if not _is_index(path)]
    if project:
        navigation.append({"Repository": _entries(folder, project, pages)})
    return navigation


def _entries(folder: Path, paths: list[str], pages: Mapping[str, str]) -> Navigation:
    return [{pages[path]: path} for path in _in_order(folder, paths)]


def _in_order(folder: Path, paths: list[str]) -> list[str]:
    """Return the index page of a folder first, then the pages in the order in which it links to them, then all others."""
    index = min((path for path in paths if _is_index(path)), key=lambda path: path.count("/"), default=None)
    if index is None:
        return sorted(paths)
    base = posixpath.dirname(index)
    targets = [
        target.partition("#")[0] for target in link_targets((folder / index).read_text()) if not is_external(target)
    ]
    order = [index, *(posixpath.normpath(posixpath.join(base, target)) for target in targets if target)]
    return sorted(paths, key=lambda path: (order.index(path) if path in order else len(order), path))


def _is_index(path: str) -> bool:
    return posixpath.basename(path) in {"README.md", "index.md"}
