"""Headers of responses: pairs of a name and a value, also those that are encoded once for all responses."""

import pytest

from sector.api.responses import EVENT_STREAM, JSON, PROBLEM, SECURITY_HEADERS, Response, page_response


@pytest.mark.parametrize("content_type", [JSON, PROBLEM, EVENT_STREAM])
def test_the_content_type_and_each_security_header_are_pairs(content_type: bytes) -> None:
    response = Response(b"{}", content_type=content_type, headers=((b"vary", b"origin"),))
    response.headers["content-length"] = 2
    expected = [
        (b"content-type", content_type),
        *SECURITY_HEADERS,
        (b"vary", b"origin"),
        (b"content-length", b"2"),
    ]
    assert list(response.processed_headers) == expected


def test_no_header_contains_a_line_break() -> None:
    for name, value in Response(b"{}").processed_headers:
        assert not {*b"\r\n"} & {*name, *value}


def test_a_response_without_a_body_has_no_content_type() -> None:
    assert list(Response(b"", 304, content_type=b"").processed_headers) == [*SECURITY_HEADERS]


def test_a_page_has_its_own_policy() -> None:
    policy = (b"content-security-policy", b"default-src 'self'")
    response = page_response(b"<p>", b"text/html", (policy,))
    assert list(response.processed_headers) == [(b"content-type", b"text/html"), policy]
