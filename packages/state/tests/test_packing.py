"""Commands as they go over the wire."""

from hiredis import Reader
from hypothesis import given, settings
from hypothesis import strategies as st

from sector.state.redis import connection
from sector.state.redis.connection import packed

WORDS = st.one_of(st.binary(max_size=20), st.text(max_size=10), st.integers())
COMMANDS = st.lists(st.lists(WORDS, min_size=1, max_size=6).map(tuple), max_size=6)


@settings(deadline=None)
@given(COMMANDS)
def test_what_is_packed_is_read_as_it_was(commands: list[tuple[str | bytes | int, ...]]) -> None:
    wire = Reader()
    for part in packed(commands):
        wire.feed(part)
    for command in commands:
        assert wire.gets() == [word if isinstance(word, bytes) else str(word).encode() for word in command]
    assert wire.gets() is False


def test_large_arguments_are_not_copied_and_small_ones_go_out_together() -> None:
    large = bytes(connection._LARGE_BYTES + 1)
    parts = packed([("MULTI",), ("SET", "k", large), ("HSET", "h", "n", 7), ("EXEC",)])
    assert [part is large for part in parts] == [False, True, False]
    assert b"".join(parts) == b"".join(
        (
            b"*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n%b\r\n" % (len(large), large),
            b"*4\r\n$4\r\nHSET\r\n$1\r\nh\r\n$1\r\nn\r\n$1\r\n7\r\n*1\r\n$4\r\nEXEC\r\n",
        )
    )
