"""Error responses have no text of pydantic, of its JSON parser or of Sanic, for any input."""

import json
import re
from collections.abc import Callable, Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from pydantic_core._pydantic_core import list_all_errors
from sanic import Request

from fixtures.long import max_examples
from sector.api.authentication import Bearer, TokenClaims, describe_invalid_claim
from sector.api.json_body import parse_json
from sector.api.order_validation import validate_order
from sector.api.problems import ApiError, invalid, list_errors
from sector.models.error_texts import NEUTRAL
from sector.models.responses import NewFork, NewSim

_BETWEEN_VALUES = re.compile(r"\{[^}]*\}")
FOREIGN = {
    part.strip(" ,'")
    for error in list_all_errors()
    for template in (error["message_template_python"], error.get("message_template_json", ""))
    for part in _BETWEEN_VALUES.split(template)
    if len(part.strip(" ,'")) >= 12
} | {"EOF while", "expected ", "trailing ", "code point", "found while", "recursion limit", "Detected", "pydantic"}
"""Fragments of the texts of pydantic and its parser, without values."""

ANONYMOUS = Bearer("tester", None, None, admin=True)
MOVE = {"type": "move_fleet", "faction": "Crimson", "system": "S0", "target": "S1", "ships": 1}
NOTE = {"type": "note", "faction": "Crimson", "text": "hello", "system": None}
SYSTEM = {"id": "S0", "name": "A", "x": 0, "y": 0, "growth": 0, "supply_yield": 0, "ships": 0}
MAP = {"systems": [SYSTEM, SYSTEM | {"id": "S1", "name": "B"}], "lanes": [{"a": "S0", "b": "S1"}], "homes": ["S0"]}
SIM = {
    "id": "mine",
    "config": {
        "preset": "sector",
        "seed": 1,
        "map": MAP,
        "players": ["Me"],
        "puppets": ["Azure", {"faction": "Crimson", "temperament": "raider"}],
    },
}
CLAIMS = {"sub": "me", "exp": 5, "sim": ["a"], "faction": "*", "scope": "player"}

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
    | st.sampled_from(("S0", "S5", "Crimson", "join", "note", "")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from((*MOVE, *SIM, "x")), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def altered_bodies(draw: st.DrawFn, body: Mapping[str, object]) -> object:
    """A body with parts that are omitted, added, repeated or replaced."""
    changed = json.loads(json.dumps(body))
    for _ in range(draw(st.integers(1, 3))):
        part = changed
        for _ in range(draw(st.integers(0, 4))):
            inside = [each for each in (part.values() if isinstance(part, dict) else part) if each]
            if inner := [each for each in inside if isinstance(each, dict | list)]:
                part = draw(st.sampled_from(inner))
        if isinstance(part, list):
            part += draw(st.lists(values, max_size=2)) + part[: draw(st.integers(0, 2))]
        elif key := draw(st.sampled_from([*part, "unknown"])):
            part.pop(key, None)
            if draw(st.booleans()):
                part[key] = draw(values)
    return changed


def assert_ours(problem: ApiError) -> None:
    for text in (problem.title, problem.detail, *(error["message"] for error in problem.errors)):
        assert not [each for each in FOREIGN if each in text], text
        assert not re.search(rf"{NEUTRAL}(;|$)", text), "an error that has no text of its own"


@settings(max_examples=max_examples(2_000), deadline=None)
@given(body=values | altered_bodies(MOVE) | altered_bodies(NOTE))
def test_errors_of_orders_have_no_library_texts(body: object) -> None:
    try:
        validate_order(ANONYMOUS, body)  # type: ignore[arg-type]  # any JSON
    except ApiError as problem:
        assert_ours(problem)


@settings(max_examples=max_examples(2_000), deadline=None)
@given(model=st.sampled_from((NewSim, NewFork)), body=values | altered_bodies(SIM))
def test_errors_of_sims_have_no_library_texts(model: type[BaseModel], body: object) -> None:
    try:
        model.model_validate_json(json.dumps(body))
    except ValidationError as error:
        assert_ours(invalid(list_errors(error)))


@settings(max_examples=max_examples(800), deadline=None)
@given(claims=altered_bodies(CLAIMS))
def test_errors_of_claims_have_no_library_texts(claims: object) -> None:
    try:
        TokenClaims.model_validate(claims)
    except ValidationError as error:
        assert_ours(ApiError(401, "", describe_invalid_claim(error)))


@settings(max_examples=max_examples(2_000), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), body=values | altered_bodies(SIM))
def test_json_errors_have_no_library_texts(
    make_request: Callable[..., Request], data: st.DataObject, body: object
) -> None:
    text = bytearray(json.dumps(body, ensure_ascii=data.draw(st.booleans())).encode())
    place = data.draw(st.integers(0, len(text)))
    text[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=2) | st.sampled_from(PIECES))
    try:
        parse_json(make_request(body=bytes(text)))
    except ApiError as problem:
        assert_ours(problem)
        assert_says_where(problem)


def assert_says_where(problem: ApiError) -> None:
    assert problem.status == 422 or re.search(r": [a-z].*, at line \d+ column \d+$", problem.detail)


PIECES = (
    b",",
    b":",
    b"[",
    b"}",
    b'"',
    b"\\",
    b"\\ud800",
    b"\\u12",
    b"01",
    b"-",
    b"nul",
    b"NaN",
    b"\xc3\x28",
    b"\0",
    b"1e",
)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"", "it ends too early, at line 1 column 0"),
        (b'{\n"a": 1,\n}', "a comma is not followed by a value, at line 3 column 1"),
        (b'{"a": 1} b', "text follows the end of the value, at line 1 column 10"),
        (b'{"secret": 1, "secret": 2}', "an object has a field twice, at line 1 column 24"),
        (b"secret", "a value is missing or is malformed, at line 1 column 1"),
        (b"[truth]", "a word is not true, false or null, at line 1 column 5"),
        (b'{"a" 1}', "a colon is missing, at line 1 column 6"),
        (b"[1 2]", "a comma or a closing bracket is missing, at line 1 column 4"),
        (b"{secret: 1}", "the name of a field is not a string in double quotes, at line 1 column 2"),
        (rb'"\x"', "a string has an invalid escape sequence, at line 1 column 3"),
        (rb'"\ud800"', "a string has half of a surrogate pair, at line 1 column 8"),
        (rb'"\udc00"', "a string has half of a surrogate pair, at line 1 column 7"),
        (b'"\xc3\x28"', "a string is not UTF-8, at line 1 column 2"),
        (b'"\x1b"', "a string has a control character without an escape, at line 1 column 2"),
        (b"01", "a number is malformed, at line 1 column 2"),
        (b"9" * 5_000, "a number has too many digits, at line 1 column 4302"),
        (b"[" * 500, "it is nested too deeply, at line 1 column 202"),
    ],
)
def test_a_json_error_has_a_reason_and_a_position(
    make_request: Callable[..., Request], body: bytes, fault: str
) -> None:
    with pytest.raises(ApiError) as problem:
        parse_json(make_request(body=body))
    assert problem.value.detail == f"the body is not JSON: {fault}"
