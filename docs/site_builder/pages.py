"""The pages of the site, from the files of the repository.

`docs/` is the root of the site. Other Markdown files that a page links to become pages below `repository/`. A link to a source
file or a folder leads to a page that shows it, so the site is complete without any other host.
"""

import posixpath
import shutil
from collections.abc import Iterator
from pathlib import Path

from site_builder.links import is_external, replace_links

FIRST_PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CODE_OF_CONDUCT.md",
    "packages/*/README.md",
    "services/*/README.md",
    "examples/*/README.md",
)
"""Pages that are in the navigation beside those in `docs/`."""
_EXCLUDED = "docs/site_builder/"
_IMAGES = frozenset({".svg", ".png", ".jpg", ".webp", ".gif"})
_LANGUAGES = {".py": "python", ".js": "javascript", ".ts": "typescript", ".yaml": "yaml", ".yml": "yaml", ".sh": "sh"}
_INDEX_NAMES = ("README.md", "index.md")


class DeadLinkError(Exception):
    """Links of pages lead to files that do not exist."""


class Pages:
    """Copies pages into a folder, with their links pointing at each other, until no link leads out of it."""

    def __init__(self, repository: Path, folder: Path) -> None:
        self._repository = repository
        self._folder = folder
        self._queue: list[str] = []
        self._paths: dict[str, str] = {}
        self._dead_links: list[str] = []

    def write(self) -> None:
        """Write all pages, and all that they link to. Raises DeadLinkError."""
        for path in first_pages(self._repository):
            self._site_path(path)
        while self._queue:
            self._write_one(self._queue.pop())
        if self._dead_links:
            raise DeadLinkError("\n".join(self._dead_links))

    def site_path(self, path: str) -> str | None:
        """Return the place of a repository file in the site, if it has one."""
        return self._paths.get(path)

    def _site_path(self, path: str) -> str:
        """Return the place of a file or folder in the site, and queue it."""
        if path not in self._paths:
            self._paths[path] = self._choose_site_path(path)
            self._queue.append(path)
        return self._paths[path]

    def _choose_site_path(self, path: str) -> str:
        site_path = path.removeprefix("docs/") if path.startswith("docs/") else f"repository/{path}"
        file = self._repository / path
        if file.is_dir():
            return f"{site_path}/contents.md"
        return site_path if file.suffix in {".md", *_IMAGES} else f"{site_path}.md"

    def _write_one(self, path: str) -> None:
        source, destination = self._repository / path, self._folder / self._paths[path]
        destination.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            destination.write_text(self._folder_page(path))
        elif source.suffix == ".md":
            destination.write_text(replace_links(source.read_text(), lambda target: self._new_target(path, target)))
        elif source.suffix in _IMAGES:
            shutil.copyfile(source, destination)
        else:
            destination.write_text(_source_page(path, source))

    def _new_target(self, page: str, target: str) -> str:
        path, _, fragment = target.partition("#")
        if not path or is_external(target):
            return target
        linked = posixpath.normpath(posixpath.join(self._base(page), path))
        file = self._repository / linked
        if linked.startswith("..") or not file.exists():
            self._dead_links.append(f"{page}: the link {target} leads to a file that does not exist")
            return target
        index = next((f"{linked}/{name}" for name in _INDEX_NAMES if (file / name).is_file()), None)
        site_path = self._site_path(index or linked)
        if fragment and file.suffix != ".md" and fragment.removeprefix("L").isdigit():
            fragment = f"__codelineno-0-{fragment.removeprefix('L')}"
        relative = posixpath.relpath(site_path, posixpath.dirname(self._paths[page]) or ".")
        return f"{relative}#{fragment}" if fragment else relative

    def _base(self, page: str) -> str:
        return page if (self._repository / page).is_dir() else posixpath.dirname(page)

    def _folder_page(self, path: str) -> str:
        folder = self._repository / path
        names = [file.name for file in sorted(folder.iterdir()) if _is_shown(file)]
        links = [f"- [{name}]({self._new_target(path, name)})" for name in names]
        return "\n".join(["---", "search:", "  exclude: true", "---", "", f"# `{path}`", "", *links, ""])


def first_pages(repository: Path) -> Iterator[str]:
    """Yield the paths of the pages in the navigation, except those of the API reference."""
    for path in sorted((repository / "docs").rglob("*.md")):
        if not (relative := path.relative_to(repository).as_posix()).startswith(_EXCLUDED):
            yield relative
    for pattern in FIRST_PAGES:
        yield from (path.relative_to(repository).as_posix() for path in sorted(repository.glob(pattern)))


def _is_shown(file: Path) -> bool:
    return not file.is_dir() and file.suffix in {*_LANGUAGES, *_IMAGES, ".md", ".toml", ".json"}


def _source_page(path: str, source: Path) -> str:
    """Return a page that shows a text file, with line numbers that can be linked to."""
    text, language = source.read_text(), _LANGUAGES.get(source.suffix, "text")
    fence = "`" * 6
    front = f"---\nsearch:\n  exclude: true\n---\n\n# `{path}`\n\n"
    return f'{front}{fence} {{ .{language} linenums="1" }}\n{text.rstrip()}\n{fence}\n'
