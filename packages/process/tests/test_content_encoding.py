"""Content negotiation: the coding with the highest weight is used, and a weight of 0 forbids a coding."""

import pytest

from sector.process.content_encoding import negotiate_encoding


@pytest.mark.parametrize(
    ("accept_encoding", "coding"),
    [
        ("", ""),
        ("gzip", "gzip"),
        ("gzip, br", "br"),
        ("GZIP;q=0.5, br;q=0.1", "gzip"),
        ("gzip;q=0", ""),
        ("gzip;q=0, br;q=0.0", ""),
        ("gzip; q=0.5", "gzip"),
        ("*", "br"),
        ("br;q=0, *", "gzip"),
        ("*;q=0", ""),
        ("identity;q=0.5, gzip;q=0.2", ""),
        ("x-gzip", ""),
        ("notgzip", ""),
        ("gzip;q=much", ""),
    ],
)
def test_the_coding_with_the_highest_weight_is_used(accept_encoding: str, coding: str) -> None:
    assert negotiate_encoding(accept_encoding, ("br", "gzip")) == coding


def test_a_coding_that_is_not_offered_is_never_used() -> None:
    assert negotiate_encoding("br, zstd", ("gzip",)) == ""
