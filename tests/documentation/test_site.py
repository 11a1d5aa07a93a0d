"""The documentation site: it builds in strict mode, no link is dead, and no page loads anything from another host."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from documentation.site_pages import PageContent, dead_links, is_foreign, parse_site

SitePages = dict[str, PageContent]
Build = Callable[[dict[str, str]], subprocess.CompletedProcess[str]]


def test_no_link_or_anchor_is_dead(site: Path, pages: SitePages) -> None:
    assert list(dead_links(site, pages)) == []


def test_no_page_loads_anything_from_another_host(pages: SitePages) -> None:
    assert [(path, url) for path, page in pages.items() for url in page.loads if is_foreign(url)] == []


def test_no_style_sheet_loads_anything_from_another_host(site: Path) -> None:
    sheets = list(site.rglob("*.css"))
    assert sheets
    urls = [url for sheet in sheets for url in re.findall(r"(?:url\(|@import )['\"]?([^'\")]+)", sheet.read_text())]
    assert [url for url in urls if is_foreign(url)] == []


def test_every_page_is_in_the_site(site: Path) -> None:
    names = [path.relative_to("docs") for path in Path("docs").rglob("*.md")]
    assert len(names) > 40
    for page in names:
        folder = page.parent if page.stem in {"README", "index"} else page.with_suffix("")
        assert (site / folder / "index.html").is_file(), page


@pytest.mark.parametrize("package", ["client", "models", "process", "state", "tracing", "world"])
def test_the_reference_shows_each_package(pages: SitePages, package: str) -> None:
    page = pages[f"reference/python/sector.{package}/index.html"]
    assert any(anchor.startswith(f"sector.{package}.") for anchor in page.anchors)


@pytest.mark.parametrize("link", ["missing.md", "other.md#missing", "#missing", "../src/missing.py"])
def test_a_dead_link_fails_the_build(build_pages: Build, link: str) -> None:
    built = build_pages({"docs/index.md": f"# Index\n\n[link]({link})\n", "docs/other.md": "# Other\n"})
    assert built.returncode == 1
    assert "does not exist" in built.stderr


def test_links_to_files_and_folders_become_pages(build_pages: Build, tmp_path: Path) -> None:
    page = "# Index\n\n[file](../src/a.py#L2), [folder](../src), [read me](../package), `[code](x.md)`\n"
    files = {"docs/index.md": page, "src/a.py": "a = 1\nb = 2\n", "package/README.md": "# Package\n"}
    built = build_pages(files)
    assert built.returncode == 0, built.stdout + built.stderr
    pages = parse_site(tmp_path / "site")
    assert list(dead_links(tmp_path / "site", pages)) == []
    assert {"repository/src/a.py/index.html", "repository/src/contents/index.html"} <= pages.keys()
    assert "repository/package/index.html" in pages


def test_an_anchor_is_that_of_github(build_pages: Build) -> None:
    page = "# Index\n\n## `GET /sims/{id}`: one sim, and its head\n\n[link](#get-simsid-one-sim-and-its-head)\n"
    built = build_pages({"docs/index.md": page})
    assert built.returncode == 0, built.stdout + built.stderr
