"""`.ci/prose.py`: the prose of the documents does not get worse.

It counts what the language rules exclude in each Markdown file: long sentences, paragraphs, lines and table cells, banned words,
chains of semicolons, and more passive sentences than one in four. Each count is compared with the baseline, `.ci/prose.json`. A count
above its baseline fails, and each place is listed. A file that is not in the baseline must have none.
`.ci/prose.py --write` lowers the baseline after a rewrite; it never raises one.
"""

import argparse
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ratchet import Baseline, read_sources, run

FILES = ("*.md", "docs/**/*.md", "packages/*/*.md", "services/*/*.md", "examples/*/*.md")
MAX_COLUMNS = 100
MAX_WORDS_IN_SENTENCE = 30
MAX_WORDS_IN_PARAGRAPH = 60
MAX_WORDS_IN_CELL = 40
MAX_PASSIVE_SHARE = 0.25

EXCEPTIONS: Mapping[tuple[str, str], str] = {
    ("docs/decisions/classic.md", "banned words"): "quotes the specification of the contest",
}
"""Rules that do not apply to a file, and why."""

_BASELINE = Path(".ci/prose.json")
_BANNED = re.compile(
    r"\b(?:anew|besides|heed(?:s|ed)?|nobody|whoever|whatever|whomever|one that is none|were it|it is told|what came of it"
    r"|what becomes? of|what became of|to the letter|that many|is given back|is held against|nothing of ours)\b"
    r"|(?:^|[.;:] )Who (?!is\b|are\b|can\b)\w+",
    re.IGNORECASE,
)
_IRREGULAR = (
    """begun borne bound bought brought built caught chosen cut done drawn driven fed found forgiven forgotten given
heard held kept known laid left lent lost made meant met paid put read run said seen sent set shown shut sold split spent taken
taught thrown told torn understood woken won worn written""".split()
)
_PASSIVE = re.compile(
    rf"\b(?:is|are|was|were|be|been|being)\s+(?:not\s+|\w+ly\s+)?(?:\w+ed|{'|'.join(_IRREGULAR)})\b", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"(?<=[.!?])[)\"*_]*\s+(?=[A-Z\"(*_`\[])")
_ABBREVIATION = re.compile(r"\b(e\.g|i\.e|etc|vs|approx|no)\.", re.IGNORECASE)
_LIST_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+")
_LINK = re.compile(r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])")


@dataclass(frozen=True, slots=True)
class Problem:
    """A place that breaks a rule."""

    rule: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.line}: {self.rule}: {self.text}"


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a list item or a table row, and the line where it begins."""

    line: int
    text: str
    is_row: bool = False

    def sentences(self) -> list[str]:
        """Return the sentences of a paragraph."""
        text = _ABBREVIATION.sub(r"\1", self.text)
        return [sentence for sentence in _SENTENCE_END.split(text) if count_words(sentence)]


def count_words(text: str) -> int:
    """Return the number of words. Code and a number are a word each."""
    return len(re.findall(r"[\w$€%][\w'\u2019.,/$€%:-]*", text))


def plain_text(markdown: str) -> str:
    """Return a line without markup. Code becomes one word."""
    text = re.sub(r"`+[^`]+`+", "code", markdown)
    text = _LINK.sub(r"\1", text)
    text = re.sub(r"<https?:[^>]*>|https?://\S+", "address", text)
    return re.sub(r"<[^>]+>|\*\*|(?<!\w)[*_]|[*_](?!\w)", "", text).strip()


def prose_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines that are no code, comment or front matter. Code lines are empty."""
    fence, is_comment = "", False
    lines = text.splitlines()
    start = lines.index("---", 1) + 1 if lines[:1] == ["---"] and "---" in lines[1:] else 0
    for number, line in enumerate(lines[start:], start + 1):
        match = re.match(r"\s*(```+|~~~+)", line)
        if match and (not fence or match[1].startswith(fence)):
            fence = "" if fence else match[1]
            yield number, ""
        elif fence or is_comment or line.lstrip().startswith("<!--"):
            is_comment = not fence and "-->" not in line
            yield number, ""
        else:
            yield number, line


def blocks(text: str) -> Iterator[Block]:
    """Yield paragraphs, list items and table rows."""
    start, parts = 0, list[str]()
    for number, line in [*prose_lines(text), (0, "")]:
        is_heading, is_row, is_item = line.startswith("#"), line.lstrip().startswith("|"), _LIST_ITEM.match(line)
        if parts and (not line.strip() or is_heading or is_row or is_item):
            yield Block(start, " ".join(parts))
            parts = []
        if is_row:
            yield Block(number, line, is_row=True)
        elif line.strip() and not is_heading and not line.startswith("!["):
            start = start if parts else number
            parts.append(plain_text(_LIST_ITEM.sub("", line).lstrip("> ")))


def find_problems(text: str) -> list[Problem]:
    """Return what a document has that the rules exclude."""
    problems = [
        Problem("long lines", number, f"{len(line)} columns, {MAX_COLUMNS} allowed")
        for number, line in prose_lines(text)
        if len(line) > MAX_COLUMNS and not line.lstrip().startswith(("|", "#", "![", "[", "<"))
    ]
    passive, sentences = list[Problem](), 0
    for block in blocks(text):
        if block.is_row:
            problems += _cell_problems(block)
            continue
        if (words := count_words(block.text)) > MAX_WORDS_IN_PARAGRAPH:
            problems.append(Problem("long paragraphs", block.line, f"{words} words, {MAX_WORDS_IN_PARAGRAPH} allowed"))
        problems += _word_problems(block.line, block.text)
        for sentence in block.sentences():
            sentences += 1
            if (words := count_words(sentence)) > MAX_WORDS_IN_SENTENCE:
                problems.append(
                    Problem("long sentences", block.line, f"{words} words, {MAX_WORDS_IN_SENTENCE} allowed")
                )
            if sentence.count(";") > 1 or sentence.count(": ") > 1:
                problems.append(Problem("chains", block.line, "several semicolons or colons in one sentence"))
            if match := _PASSIVE.search(sentence):
                passive.append(Problem("passive sentences", block.line, match[0]))
    # A page with few sentences may have one or two in the passive.
    return sorted([*problems, *passive[max(2, int(MAX_PASSIVE_SHARE * sentences)) :]], key=lambda each: each.line)


def _cell_problems(row: Block) -> Iterator[Problem]:
    for cell in map(plain_text, row.text.strip().strip("|").split("|")):
        if (words := count_words(cell)) > MAX_WORDS_IN_CELL:
            yield Problem("long table cells", row.line, f"{words} words, {MAX_WORDS_IN_CELL} allowed")
        yield from _word_problems(row.line, cell)


def _word_problems(line: int, text: str) -> Iterator[Problem]:
    for match in _BANNED.finditer(text):
        yield Problem("banned words", line, match[0].strip(".;: "))


def check(root: Path) -> dict[str, list[Problem]]:
    """Return the problems of the documents of a checkout, by document and rule."""
    problems: dict[str, list[Problem]] = defaultdict(list)
    for source in read_sources(root, FILES):
        for each in find_problems(source.text):
            if (str(source), each.rule) not in EXCEPTIONS:
                problems[f"{source}: {each.rule}"].append(each)
    return problems


def main(arguments: Sequence[str], root: Path) -> int:
    """Compare the documents with the baseline; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog=".ci/prose.py",
        description="Counts violations of the language rules in the documents. Fails if a count is above its baseline in .ci/prose.json.",
        epilog="example: python .ci/prose.py --write",
    )
    parser.add_argument(
        "--write", action="store_true", help="lower the baseline to the current counts; a count never rises"
    )
    write = parser.parse_args(arguments).write
    baseline, problems = Baseline(root / _BASELINE), check(root)
    counts = {name: len(places) for name, places in problems.items()}
    if write:
        baseline.lower(counts)
    exceeded = baseline.exceeded(counts)
    for name in exceeded:
        print(f"prose: {name}: {counts[name]}, {baseline.allowed(name)} allowed", file=sys.stderr)
        for each in problems[name]:
            print(f"  {name.partition(': ')[0]}:{each}", file=sys.stderr)
    if exceeded:
        print("prose: write short sentences with the standard words", file=sys.stderr)
        return 1
    print(f"prose: {sum(counts.values())} places are to be rewritten")
    return 0


if __name__ == "__main__":
    run(main)
