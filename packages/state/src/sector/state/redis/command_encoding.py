"""Commands as they go over the wire (RESP arrays)."""

from collections.abc import Iterator, Sequence

from hiredis import pack_command

type Command = Sequence[str | bytes | int]

_LARGE_BYTES = 2**16


class EncodedCommand(bytes):
    """A command as it goes over the wire; `name` is its first word."""

    name = "EVALSHA"


def encode_commands(commands: Sequence[Command | EncodedCommand]) -> list[bytes]:
    """Return commands as they go over the wire. Large arguments are parts of their own: they are not copied."""
    parts: list[bytes] = []
    for command in commands:
        if isinstance(command, EncodedCommand):
            parts.append(command)
            continue
        for part in command:
            if isinstance(part, bytes) and len(part) > _LARGE_BYTES:
                parts += _encode_large(command)
                break
        else:
            parts.append(pack_command(tuple(command)))  # type: ignore[arg-type]  # its stub means a tuple of one
    return list(_join_small(parts))


def _encode_large(command: Command) -> Iterator[bytes]:
    yield b"*%d\r\n" % len(command)
    for part in command:
        word = part if isinstance(part, bytes) else str(part).encode()
        yield b"$%d\r\n" % len(word)
        yield word
        yield b"\r\n"


def _join_small(parts: Sequence[bytes]) -> Iterator[bytes]:
    """Yield the same bytes, small parts together."""
    small: list[bytes] = []
    for part in parts:
        if len(part) <= _LARGE_BYTES:
            small.append(part)
            continue
        yield b"".join(small)
        yield part
        small = []
    yield b"".join(small)
