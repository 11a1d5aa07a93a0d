"""Documents against their sources: versions, repeated figures, paths, modules, settings, defaults and limits."""

import importlib
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from documentation.code_blocks import PAGES
from sector.models import SimConfig

TEXTS = {str(page): page.read_text() for pattern in PAGES for page in sorted(Path().glob(pattern))}
PERFORMANCE = "docs/project/performance.md"
_TOP_FOLDERS = r"\.ci|\.github|3rdparty|docker|docs|examples|k8s|packages|services|tests"
_FIGURE = re.compile(r"(?<![\w.])(\d[\d,]*(?:\.\d+)?) ?(?:µs|ms|s|MB|GiB|frames|frames/s|spectators|%)(?!\w)")
_PATH = re.compile(rf"`((?:{_TOP_FOLDERS})/[\w./*{{}},-]+)`")
_HOSTS = {"sector.local"}
_MODULE = re.compile(r"`(sector(?:\.\w+)+)`")


def code_spans(pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    """Return (page, text) for each code span that matches."""
    return sorted({(page, match[1]) for page, text in TEXTS.items() for match in pattern.finditer(text)})


def version_of(part: str) -> str:
    """Return the version of a distribution from its BUILD file."""
    match = re.search(r'version="([\d.]+)"', Path(part, "BUILD").read_text())
    assert match
    return match[1]


def number(text: str) -> float:
    """Return the value of a number with thousands separators."""
    return float(text.replace(",", ""))


def is_rounded(text: str, value: float) -> bool:
    """Say whether a figure is a value, rounded to the figure's decimals."""
    return number(text) == round(value, len(text.partition(".")[2]))


def paragraphs_with_link_to(page: str) -> Iterator[tuple[str, str]]:
    """Yield (path, text) for each paragraph, list item and table row of another page that links to a page."""
    for path, text in TEXTS.items():
        if path != page:
            parts = re.split(r"\n(?=\n|\||- |\d+\. )", text)
            yield from ((path, part) for part in parts if re.search(rf"\]\([^)]*\b{re.escape(Path(page).name)}", part))


def test_versions_of_packages_and_images_are_current() -> None:
    parts = {
        path.parent.name: str(path.parent) for path in Path().glob("[ps]*/*/BUILD") if "version=" in path.read_text()
    }
    named = re.compile(r"sector[-_](\w+)(?:==|:|[-_])v?(\d+\.\d+\.\d+)(?!\S*\.tgz)")
    stale = [
        (page, match[0])
        for page, text in TEXTS.items()
        for match in named.finditer(text)
        if match[1] in parts and match[2] != version_of(parts[match[1]])
    ]
    assert stale == []


def test_the_version_of_the_npm_package_is_current() -> None:
    version = json.loads(Path("packages/typescript-client/package.json").read_text())["version"]
    named = {match for text in TEXTS.values() for match in re.findall(r"sector-client-([\d.]+)\.tgz", text)}
    assert named <= {version}


def test_versions_of_tools_are_current() -> None:
    pants = tomllib.loads(Path("pants.toml").read_text())["GLOBAL"]["pants_version"]
    images = Path("docker/redis.Dockerfile").read_text() + Path("docker/compose.yaml").read_text()
    for page, text in TEXTS.items():
        named = re.findall(r"Pants (\d+\.\d+(?:\.\d+)?)", text)
        assert [version for version in named if not pants.startswith(version)] == [], page
        if not page.startswith("docs/decisions/"):
            valkeys = re.findall(r"Valkey (\d+\.\d+)\b(?! or)", text)
            assert [version for version in valkeys if f":{version}" not in images] == [], page


def test_figures_of_other_pages_are_those_of_the_performance_page() -> None:
    measured = [number(text) for text in re.findall(r"\d[\d,]*(?:\.\d+)?", TEXTS[PERFORMANCE])]
    stale = [
        (path, match[0])
        for path, paragraph in paragraphs_with_link_to(PERFORMANCE)
        for match in _FIGURE.finditer(paragraph)
        if not any(is_rounded(match[1], value) for value in measured)
    ]
    assert stale == []


@pytest.mark.parametrize(("text", "value"), [("137", 137), ("42", 42.2), ("4.7", 4.72), ("2,000", 2000)])
def test_a_figure_may_be_rounded(text: str, value: float) -> None:
    assert is_rounded(text, value)


@pytest.mark.parametrize(("text", "value"), [("130", 137), ("42.0", 42.2), ("140", 137)])
def test_a_figure_must_not_be_rounded_away(text: str, value: float) -> None:
    assert not is_rounded(text, value)


def test_the_readme_repeats_figures_at_all() -> None:
    paragraphs = [text for path, text in paragraphs_with_link_to(PERFORMANCE) if path == "README.md"]
    assert any(_FIGURE.search(text) for text in paragraphs)


def test_compose_reads_the_variables_that_the_guide_exports() -> None:
    guide = TEXTS["docs/guides/deploy.md"].partition("\n## Compose")[2].partition("\n## ")[0]
    exported = set(re.findall(r"^export (\w+)=", guide, re.MULTILINE))
    assert exported
    assert exported <= set(re.findall(r"\$\{(\w+)", Path("docker/compose.yaml").read_text()))


@pytest.mark.parametrize(("page", "path"), code_spans(_PATH))
def test_a_path_in_the_text_exists(page: str, path: str) -> None:
    patterns = [
        path.rstrip("/").replace(match[0], each)
        for match in re.finditer(r"\{([^}]*)\}", path)
        for each in match[1].split(",")
    ]
    for pattern in patterns or [path.rstrip("/")]:
        # (dist/, node_modules/ and other results of a build have other names)
        # (the page of a package may name a path below it)
        existing = [*Path().glob(pattern), *Path().glob(f"*/*/{pattern}")]
        assert existing or re.search(r"/(dist|node_modules)\b|\{\w+\}|NAME", path), page


@pytest.mark.parametrize(("page", "name"), [each for each in code_spans(_MODULE) if each[1] not in _HOSTS])
def test_a_module_or_name_in_the_text_exists(page: str, name: str) -> None:
    parts = name.split(".")
    for end in range(len(parts), 1, -1):
        try:
            value: object = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[end:]:
            value = getattr(value, attribute)
        return
    pytest.fail(f"{page}: {name} is no module")


def test_defaults_of_the_config_are_those_of_the_rules() -> None:
    table = TEXTS["docs/reference/rules.md"].partition("\n## The config")[2]
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ([^|]+) \|", table, re.MULTILINE)
    documented = {
        name: value.strip()
        for names, values in rows
        for name, value in zip(re.findall(r"`(\w+)`", names), values.split(", "), strict=False)
    }
    fields = SimConfig.model_json_schema()["properties"]
    assert documented.keys() <= fields.keys()
    numbers = {name: value for name, value in documented.items() if re.fullmatch(r"[\d,]+", value)}
    assert len(numbers) > 5
    assert {name: int(value.replace(",", "")) for name, value in numbers.items()} == {
        name: fields[name]["default"] for name in numbers
    }
