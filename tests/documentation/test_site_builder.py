"""The parts of the site: links in Markdown, and the navigation from the folders."""

from pathlib import Path

import pytest
from site_builder.links import link_targets, page_title, replace_links
from site_builder.navigation import build_navigation


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("[a](b.md) and ![c](d.png)", ["b.md", "d.png"]),
        ('[a](b.md "title")', ["b.md"]),
        ("[`a`](b.md)", ["b.md"]),
        ("[a]: b.md", ["b.md"]),
        ('<img src="a.png" alt="">', ["a.png"]),
        ("`[a](b.md)`", []),
        ("```\n[a](b.md)\n```\n[c](d.md)", ["d.md"]),
        ("~~~md\n```\n[a](b.md)\n~~~\n[c](d.md)", ["d.md"]),
    ],
)
def test_links_are_recognized(text: str, targets: list[str]) -> None:
    assert link_targets(text) == targets


def test_only_targets_are_replaced() -> None:
    text = "# T\n\n[a](b.md#c) `[a](b.md)`\n\n```\n[a](b.md)\n```\n"
    assert replace_links(text, lambda target: "x") == text.replace("b.md#c", "x")


@pytest.mark.parametrize(
    ("text", "title"),
    [("# The `API`\n", "The API"), ("```sh\n# no\n```\n# Yes\n", "Yes"), ("## Two\n", "name"), ("# [A](b.md)\n", "A")],
)
def test_the_title_is_the_first_heading(text: str, title: str) -> None:
    assert page_title(text, "name") == title


def write(folder: Path, pages: dict[str, str]) -> list[str]:
    for path, text in pages.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return list(pages)


def test_sections_come_in_reading_order_and_others_after_them(tmp_path: Path) -> None:
    pages = write(tmp_path, {f"{name}/a.md": "# A" for name in ("zoo", "reference", "guides", "tutorial")})
    pages += write(tmp_path, {"index.md": "# Home", "rest.md": "# Rest", "repository/SECURITY.md": "# Security"})
    names = [next(iter(entry)) for entry in build_navigation(tmp_path, pages)]
    assert names == ["Home", "Tutorial", "Guides", "Reference", "Zoo", "Rest", "Repository"]


def test_a_section_has_the_order_of_its_index(tmp_path: Path) -> None:
    pages = write(tmp_path, {"guides/README.md": "# Guides\n[C](c.md#x) [A](a.md)"})
    pages += write(tmp_path, {f"guides/{name}.md": f"# {name}" for name in "abc"})
    (section,) = build_navigation(tmp_path, pages)
    assert section == {
        "Guides": [
            {"Guides": "guides/README.md"},
            {"c": "guides/c.md"},
            {"a": "guides/a.md"},
            {"b": "guides/b.md"},
        ]
    }
