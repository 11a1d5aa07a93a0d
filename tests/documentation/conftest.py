"""The site, built once, and the program that builds it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from documentation.site_pages import PageContent, parse_site
from fixtures.requires import require_program

PROGRAM = Path("docs/site.pex")


def run_builder(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program that builds the site."""
    if not PROGRAM.exists():
        require_program(str(PROGRAM), hint="./pants package docs:site, and link dist/docs/site.pex to docs/")
    return subprocess.run(
        [sys.executable, str(PROGRAM.resolve()), *arguments], capture_output=True, text=True, check=False, timeout=300
    )


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of this repository."""
    folder = tmp_path_factory.mktemp("site") / "site"
    built = run_builder("--output", str(folder))
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[str, PageContent]:
    """The pages of the site by path."""
    return parse_site(site)


@pytest.fixture
def build_pages(tmp_path: Path) -> Callable[[dict[str, str]], subprocess.CompletedProcess[str]]:
    """Builds a site of these Markdown files, by path, into tmp_path / "site"."""

    def build(pages: dict[str, str]) -> subprocess.CompletedProcess[str]:
        for path, text in pages.items():
            (tmp_path / "repository" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "repository" / path).write_text(text)
        return run_builder("--repository", str(tmp_path / "repository"), "--output", str(tmp_path / "site"))

    return build
