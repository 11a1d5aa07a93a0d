"""The code blocks of README and documents, and the commands in them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGES = ("*.md", "docs/**/*.md", "packages/*/README.md", "services/*/README.md", "examples/*/README.md")
_BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^>]+) -->\n)?^(?P<fence>```+)(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A code block. `reason` is why no test runs it, as the page states in a comment above it."""

    path: str
    line: int
    language: str
    text: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"

    def commands(self) -> list[str]:
        """Return the commands of a shell block, without comments."""
        text = re.sub(r"\\\n\s*", "", self.text)
        lines = [re.sub(r"(^|\s+)#( .*)?$", "", line).strip() for line in text.splitlines()]
        return [line for line in lines if line]


def code_blocks(path: str | Path) -> list[CodeBlock]:
    """Return the code blocks of a page."""
    text = Path(path).read_text()
    return [
        CodeBlock(
            str(path),
            text.count("\n", 0, match.start("fence")) + 1,
            match["language"],
            match["text"],
            match["reason"] or "",
        )
        for match in _BLOCK.finditer(text)
    ]


def all_code_blocks() -> Iterator[CodeBlock]:
    """Yield the code blocks of all pages."""
    for page in sorted({page for pattern in PAGES for page in Path().glob(pattern)}):
        yield from code_blocks(page)


def blocks_of(path: str, language: str) -> list[str]:
    """Return the texts of the blocks in one language that are to be run."""
    return [block.text for block in code_blocks(path) if block.language == language and not block.reason]
