"""Hosts, URLs, origins and secrets: they are converted to canonical form, or rejected with a text that does not quote
them.
"""

import pytest

from sector.models.hosts import HostError, format_host, parse_host_port
from sector.models.secret_text import SecretError, clean_secret, clean_token
from sector.models.urls import UrlError, parse_http_url, parse_origin, percent_decode


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("host", "host", 7),
        ("Host:1", "host", 1),
        ("redis_1.example.org.", "redis_1.example.org", 7),
        ("127.0.0.1:65535", "127.0.0.1", 65535),
        ("[::1]", "::1", 7),
        ("[::1]:2", "::1", 2),
        ("::1", "::1", 7),
        ("2001:DB8:0:0::1", "2001:db8::1", 7),
        ("fe80::1%eth0", "fe80::1%eth0", 7),
        ("BÜCHER.example", "xn--bcher-kva.example", 7),
        ("host。example", "host.example", 7),
    ],
)
def test_a_host_is_converted_to_canonical_form(text: str, host: str, port: int) -> None:
    assert parse_host_port(text, 7) == (host, port)
    assert parse_host_port(f"{format_host(host)}:{port}", 9) == (host, port)


@pytest.mark.parametrize(
    "text",
    [
        "", ":1", "host:", "host:0", "host:65536", "host:99999", "host:-1", "host:1_0", "host:\u0661", "host: 1", "a b", "a/b",
        "[::1", "::1]", "[::1]1", "[host]", "[127.0.0.1]", "[]", "host:1:2", "1.2.3", "256.1.1.1", "1.2.3.4.5", "-a", "a-",
        "a..b", ".a", "a@b", "a\nb", "x" * 64, "x." * 130, "\udcff", "ü" * 70,
    ],
)  # fmt: skip
def test_an_invalid_host_is_rejected(text: str) -> None:
    with pytest.raises(HostError) as refused:
        parse_host_port(text, 7)
    assert len(text) < 3 or text not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://Play.Example.org:443", "https://play.example.org"),
        ("HTTP://play.example.org:80", "http://play.example.org"),
        ("http://play.example.org:443", "http://play.example.org:443"),
        ("https://play.example.org:8443", "https://play.example.org:8443"),
        ("https://Bücher.example", "https://xn--bcher-kva.example"),
        ("https://xn--strae-oqa.example", "https://xn--strae-oqa.example"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://[2001:DB8:0::1]:80", "http://[2001:db8::1]"),
        ("http://::1", "http://[::1]"),
        (" http://a.example\n", "http://a.example"),
        ("http://a.example.", "http://a.example"),
    ],
)  # fmt: skip
def test_an_origin_is_converted_to_the_form_of_browsers(text: str, origin: str) -> None:
    assert parse_origin(text) == origin


@pytest.mark.parametrize(
    "text",
    [
        "", "example.org", "ftp://a", "https://", "https://a/", "https://a/b", "https://a?x", "https://a#x", "https://user@a",
        "https://user:pw@a", "https://a:", "https://a:x", "https://a:99999", "https://a b", '"https://a"', "https://a,b",
        "https:a", "https:/a", "null", "https://a\x00", "https://*.a", "https://straße.example",
    ],
)  # fmt: skip
def test_an_origin_that_no_browser_sends_is_rejected(text: str) -> None:
    with pytest.raises(UrlError):
        parse_origin(text)


def test_a_url_hides_its_user_and_password() -> None:
    url = parse_http_url("HTTPS://me:hunter2@Host:443/a/", userinfo=True)
    assert url.text == "https://me:hunter2@host/a"
    assert (str(url), "hunter2" in repr(url)) == ("https://host/a", False)
    with pytest.raises(UrlError, match="a user or a password before an @"):
        parse_http_url("https://me:hunter2@host")


def test_an_escape_is_decoded_once_and_an_incomplete_one_is_rejected() -> None:
    assert percent_decode("a%2Fb%2525%C3%BC") == "a/b%25ü"
    for text in ("%", "a%2", "%zz", "%ff"):
        with pytest.raises(UrlError):
            percent_decode(text)


@pytest.mark.parametrize("text", ["s3cret", " s3cret", "s3cret\n", "\ts3cret\r\n", "\ufeffs3cret"])
def test_white_space_around_a_secret_is_removed(text: str) -> None:
    assert clean_secret(text) == clean_token(text) == "s3cret"


@pytest.mark.parametrize(
    "text", ['"s3cret"', "'s3cret'", "`s3cret`", ' "s3cret"\n', "s3\ncret", "s3\x00cret", "s3\x85cret"]
)
def test_a_secret_that_is_probably_a_mistake_is_rejected_without_a_quote(text: str) -> None:
    for clean in (clean_secret, clean_token):
        with pytest.raises(SecretError) as refused:
            clean(text)
        assert "cret" not in str(refused.value).replace("secret", "")


def test_a_secret_may_contain_spaces_and_a_token_may_not() -> None:
    assert clean_secret("pass wörd") == "pass wörd"
    for text in ("pass word", "pässword", "Bearer s3cret", "tok\u200ben"):
        with pytest.raises(SecretError):
            clean_token(text)
