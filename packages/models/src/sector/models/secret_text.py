"""Cleaning of secrets from settings and files: white space around them is removed, and quotes are rejected."""

import unicodedata

_QUOTES = ('"', "'", "`")


class SecretError(ValueError):
    """A secret that is probably a mistake. The text does not quote it."""


def clean_secret(text: str) -> str:
    """Return a secret without white space around it, which editors, `echo` and Windows add.

    Raises SecretError for quotes and control characters.
    """
    secret = text.strip().strip("\ufeff\u200b").strip()
    if len(secret) > 1 and secret[0] in _QUOTES and secret[0] == secret[-1]:
        raise SecretError("it is in quotes: remove the quotes")
    if any(unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") for each in secret):
        raise SecretError("it contains a line break or another control character")
    return secret


def clean_token(text: str) -> str:
    """Return a token without white space around it.

    Raises SecretError unless it consists of visible ASCII characters, as a header requires.
    """
    token = clean_secret(text)
    if token[:7].lower() == "bearer ":
        raise SecretError("it starts with the word Bearer: use the token alone")
    if not all("!" <= each <= "~" for each in token):
        raise SecretError("it contains spaces or characters that are not ASCII")
    return token
