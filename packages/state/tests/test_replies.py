"""Conversions of replies: a reply of another type is an error, and an error reply is raised unchanged."""

from collections.abc import Callable

import pytest
from redis.exceptions import ResponseError

from sector.state.redis.replies import Reply, as_bytes, as_int, as_list


@pytest.mark.parametrize(
    ("read", "reply", "reason"),
    [
        (as_bytes, 1, "expected a string, got int"),
        (as_int, b"1", "expected an integer, got bytes"),
        (as_int, None, "expected an integer, got NoneType"),
        (as_list, None, "expected an array, got NoneType"),
    ],
)
def test_a_reply_of_another_type_is_an_error(read: Callable[[Reply], object], reply: Reply, reason: str) -> None:
    with pytest.raises(ResponseError, match=reason):
        read(reply)


@pytest.mark.parametrize("read", [as_bytes, as_int, as_list])
def test_an_error_reply_is_raised_unchanged(read: Callable[[Reply], object]) -> None:
    error = ResponseError("WRONGTYPE")
    with pytest.raises(ResponseError) as raised:
        read(error)
    assert raised.value is error
