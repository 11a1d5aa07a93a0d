"""Facts that the documents repeat: figures, names of modules and versions agree with their source."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sector.state.keys import SimKeys

READMES = [path for folder in ("packages", "services") for path in sorted(Path(folder).glob("*/README.md"))]
PAGES = [Path("README.md"), *sorted(Path("docs").rglob("*.md")), *READMES]
PERFORMANCE = Path("docs/project/performance.md")


def rows(text: str, heading: str) -> Iterator[list[str]]:
    """Yield the rows of each table whose heading begins with `heading`."""
    for table in re.findall(rf"^\| {heading} \|.*\n\|[-| ]+\n((?:\|.*\n?)+)", text, re.MULTILINE):
        for line in table.splitlines():
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))]


def cell(figure: str, column: int) -> str:
    """Return a cell of the row of a figure in the page of performance."""
    return next(row[column] for row in rows(PERFORMANCE.read_text(), "figure") if row[0].startswith(figure))


def test_the_first_screen_introduces_sector_in_five_sentences() -> None:
    introduction = Path("README.md").read_text().partition("\n\n")[2].partition("**Status")[0]
    assert len(re.findall(r"\.(?=\s)", introduction)) == 5
    assert "./pants run services/standalone" in introduction


@pytest.mark.parametrize(
    "page",
    [page for page in sorted(Path("docs").rglob("*.md")) if page.parent.name != "decisions"],
    ids=str,
)
def test_a_page_begins_with_its_purpose_and_readers(page: Path) -> None:
    _, introduction, *_ = page.read_text().split("\n\n")
    assert re.match(r"This (page|guide|tutorial)\b", introduction)
    assert re.search(r"\b(players|operators|developers|engineers|newcomers|contributors)\b", introduction)


@pytest.mark.parametrize("page", ["README.md", "docs/guides/operate.md"])
def test_a_tick_reaches_spectators_as_fast_as_measured(page: str) -> None:
    measured = cell("tick committed to frame received", 1)
    assert re.findall(r"within (\d+ ms) \(p99", Path(page).read_text()) == [measured]


def test_the_page_draws_as_fast_as_measured() -> None:
    frames = cell("a frame of the page", 1).partition(" ")[0]
    assert re.findall(r"at (\d+) frames a second", Path("README.md").read_text()) == [frames]


def test_the_start_takes_as_long_as_measured() -> None:
    (start,) = (row for row in rows(Path("docs/guides/build.md").read_text(), "command") if "until all" in row[0])
    cold, warm = (cell(f"{kind} start until", 1) for kind in ("cold", "warm"))
    assert start[1:] == [f"{float(cold.split()[0]):.0f} s", warm]


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.parent.name)
def test_modules_in_a_readme_exist(readme: Path) -> None:
    text = readme.read_text()
    named = [*(row[0] for row in rows(text, "module")), *(row[1] for row in rows(text, "topic"))]
    modules = {name for each in named for name in re.findall(r"`([\w.]+)`", each)}
    assert modules or readme.parent.name in {"client", "typescript-client"}
    source = readme.parent / "src" / "sector"
    missing = [name for name in modules if not _exists(source, readme.parent.name, name)]
    assert not missing


def _exists(source: Path, package: str, name: str) -> bool:
    folder = source.joinpath(*name.split(".")[1:]) if "." in name else source / package / name
    return folder.is_dir() or folder.with_suffix(".py").is_file()


def test_every_decision_is_in_the_list() -> None:
    folder = Path("docs/decisions")
    linked = re.findall(r"\]\(([\w-]+\.md)\)", (folder / "README.md").read_text())
    assert sorted(linked) == sorted(path.name for path in folder.glob("*.md") if path.name != "README.md")


@pytest.mark.parametrize(
    "page",
    [
        page
        for folder in ("docs/decisions", "docs/project")
        for page in sorted(Path(folder).glob("*.md"))
        # (the threat model has limits, not measurements)
        if page.name != "threat-model.md" and re.search(r"(?<![\w.])\d[\d.,]* ?(?:µs|ms|s)\b", page.read_text())
    ],
    ids=lambda page: page.stem,
)
def test_figures_have_a_date_and_a_machine(page: Path) -> None:
    text = " ".join(page.read_text().split())
    assert re.search(r"\b(?:November|December) 2026", text)
    assert re.search(r"\d cores of an (?:AMD EPYC|Intel Xeon)", text)


def test_every_key_of_a_sim_is_in_the_reference() -> None:
    page = Path("docs/reference/redis-keys.md").read_text()
    listed = set(re.findall(r"^\| `(sim:\{id\}:\w+)` \|", page, re.MULTILINE))
    assert listed == set(SimKeys("id").all)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_no_page_names_a_version_of_an_image_or_a_package(page: Path) -> None:
    """The page would be stale with the next release."""
    assert not re.findall(r"\bsector[-_](?:api|worker|viz|bot|client)[-:]\d+\.\d+\S*", page.read_text())
