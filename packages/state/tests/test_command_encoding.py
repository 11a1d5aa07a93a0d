"""Encoding of commands."""

from hiredis import Reader
from hypothesis import given, settings
from hypothesis import strategies as st

from sector.state.redis import command_encoding
from sector.state.redis.command_encoding import encode_commands

WORDS = st.one_of(st.binary(max_size=20), st.text(max_size=10), st.integers())
COMMANDS = st.lists(st.lists(WORDS, min_size=1, max_size=6).map(tuple), max_size=6)


@settings(deadline=None)
@given(COMMANDS)
def test_an_encoded_command_decodes_to_the_same_words(commands: list[tuple[str | bytes | int, ...]]) -> None:
    wire = Reader()
    for part in encode_commands(commands):
        wire.feed(part)
    for command in commands:
        assert wire.gets() == [word if isinstance(word, bytes) else str(word).encode() for word in command]
    assert wire.gets() is False


def test_large_arguments_are_not_copied() -> None:
    large = bytes(command_encoding._LARGE_BYTES + 1)
    parts = encode_commands([("MULTI",), ("SET", "k", large), ("HSET", "h", "n", 7), ("EXEC",)])
    assert [part is large for part in parts] == [False, True, False]
    assert b"".join(parts) == b"".join(
        (
            b"*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n%b\r\n" % (len(large), large),
            b"*4\r\n$4\r\nHSET\r\n$1\r\nh\r\n$1\r\nn\r\n$1\r\n7\r\n*1\r\n$4\r\nEXEC\r\n",
        )
    )
