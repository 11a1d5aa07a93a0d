"""Encoding of commands in the Redis protocol (RESP arrays)."""

from collections.abc import Iterator, Sequence

from hiredis import pack_command

type Command = Sequence[str | bytes | int]

_LARGE_BYTES = 2**16


class EncodedCommand(bytes):
    """An encoded command. `name`: its first word."""

    name = "EVALSHA"


def encode_commands(commands: Sequence[Command | EncodedCommand]) -> list[bytes]:
    """Return the encoded commands as parts to send. Large arguments are separate parts, so that they are not copied."""
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
            parts.append(pack_command(tuple(command)))  # type: ignore[arg-type]  # the stub declares a tuple of one item
    return list(_join_small(parts))


def _encode_large(command: Command) -> Iterator[bytes]:
    yield b"*%d\r\n" % len(command)
    for part in command:
        word = part if isinstance(part, bytes) else str(part).encode()
        yield b"$%d\r\n" % len(word)
        yield word
        yield b"\r\n"


def _join_small(parts: Sequence[bytes]) -> Iterator[bytes]:
    """Yield the same bytes with small parts joined."""
    small: list[bytes] = []
    for part in parts:
        if len(part) <= _LARGE_BYTES:
            small.append(part)
            continue
        yield b"".join(small)
        yield part
        small = []
    yield b"".join(small)
