"""The glossary: a definition of two sentences for each term, and a link to its code."""

import re
from pathlib import Path

import pytest

PAGE = Path("docs/reference/glossary.md")
ENTRIES: dict[str, str] = {
    name: " ".join(text.split())
    for name, text in re.findall(r"^### ([^\n]+)\n\n(.*?)(?=\n\n#|\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
}
TERMS = """Admission Claim Condition Cursor Delta Durability Epoch Frame Garrison Head Issuer Keyframe Lane Lease Membership Order
Outcome Puppet Replay Room Runner Scope Season Sim Snapshot Standby Takeover Tick Worker""".split()


@pytest.mark.parametrize("term", TERMS)
def test_a_term_that_newcomers_meet_is_defined(term: str) -> None:
    assert term in ENTRIES


@pytest.mark.parametrize("term", ENTRIES)
def test_a_definition_has_two_sentences_and_a_link_to_code(term: str) -> None:
    definition, link, target = re.fullmatch(r"(.*) \[(Code)\]\(([^)]+)\)", ENTRIES[term]).groups()  # type: ignore[union-attr]
    assert link
    assert len(re.findall(r"[.?!](?= |$)", definition)) == 2
    assert (PAGE.parent / target).is_file()


def test_terms_are_sorted_in_each_section() -> None:
    for section in PAGE.read_text().split("\n## ")[1:]:
        terms = re.findall(r"^### (.+)$", section, re.MULTILINE)
        assert terms == sorted(terms, key=str.lower)
