"""Types of Redis replies, and conversions that check them."""

from collections.abc import Sequence

from redis.exceptions import RedisError, ResponseError

type Reply = bytes | int | None | list["Reply"] | ResponseError


def checked(replies: Sequence[Reply]) -> list[Reply]:
    """Return `replies`, or raise the first error among them."""
    for reply in replies:
        if isinstance(reply, RedisError):
            raise reply
    return list(replies)


def as_bytes(reply: Reply) -> bytes | None:
    """Return a string reply. Raises ResponseError for another type: the key has a value of another type."""
    if reply is None or isinstance(reply, bytes):
        return reply
    raise reply if isinstance(reply, ResponseError) else ResponseError(f"expected a string, got {type(reply).__name__}")


def as_int(reply: Reply) -> int:
    """Return an integer reply. Raises ResponseError for another type."""
    if isinstance(reply, int):
        return reply
    raise (
        reply if isinstance(reply, ResponseError) else ResponseError(f"expected an integer, got {type(reply).__name__}")
    )


def as_list(reply: Reply) -> list[Reply]:
    """Return an array reply. Raises ResponseError for another type."""
    if isinstance(reply, list):
        return reply
    raise reply if isinstance(reply, ResponseError) else ResponseError(f"expected an array, got {type(reply).__name__}")


def as_entry(reply: Reply) -> tuple[str, dict[bytes, bytes]]:
    """Return the id and the fields of a stream entry. Raises ResponseError for another type."""
    entry_id, flat = as_list(reply)
    parts = [as_bytes(part) or b"" for part in as_list(flat)]
    return (as_bytes(entry_id) or b"").decode(), dict(zip(parts[::2], parts[1::2], strict=True))
