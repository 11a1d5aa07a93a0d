"""Texts of validation errors: each error that a value from outside can cause has its own text with its limits."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic_core._pydantic_core import list_all_errors

import sector.models
from sector.models.error_texts import NEUTRAL, TEXTS, describe_error, describe_json_error

SPECIAL = {"json_invalid", "value_error"}
"""The texts of these errors come from the error itself."""

OF_OTHER_SCHEMAS = {
    "arguments": (
        "arguments_type",
        "missing_argument",
        "unexpected_keyword_argument",
        "missing_keyword_only_argument",
        "unexpected_positional_argument",
        "missing_positional_only_argument",
        "multiple_argument_values",
    ),
    "call": (),
    "callable": ("callable_type",),
    "complex": ("complex_type", "complex_str_parsing"),
    "dataclass": ("dataclass_type", "dataclass_exact_type"),
    "date": (
        "date_type",
        "date_parsing",
        "date_from_datetime_parsing",
        "date_from_datetime_inexact",
        "date_past",
        "date_future",
    ),
    "datetime": (
        "datetime_type",
        "datetime_parsing",
        "datetime_object_invalid",
        "datetime_from_date_parsing",
        "datetime_past",
        "datetime_future",
        "timezone_naive",
        "timezone_aware",
        "timezone_offset",
    ),
    "decimal": (
        "decimal_type",
        "decimal_parsing",
        "decimal_max_digits",
        "decimal_max_places",
        "decimal_whole_digits",
    ),
    "deque": ("deque_type",),
    "ellipsis": ("ellipsis_error",),
    "fraction": ("fraction_type", "fraction_parsing"),
    "frozendict": ("frozen_dict_type",),
    "is-subclass": ("is_subclass_of",),
    "missing-sentinel": ("missing_sentinel_error",),
    "multi-host-url": (),
    "named-tuple": ("named_tuple_type",),
    "ordered-dict": ("ordered_dict_type", "counter_type"),
    "time": ("time_type", "time_parsing"),
    "timedelta": ("time_delta_type", "time_delta_parsing"),
    "url": ("url_type", "url_parsing", "url_syntax_violation", "url_too_long", "url_scheme"),
    "uuid": ("uuid_type", "uuid_parsing", "uuid_version"),
}
"""Schemas that no model uses, with their errors. The text of these errors is neutral."""

OF_PYTHON = {
    "assertion_error",
    "default_factory_not_called",
    "get_attribute_error",
    "is_instance_of",
    "iteration_error",
    "needs_python_object",
    "no_such_attribute",
}
"""Errors of Python objects, which no request or file can contain. Their text is neutral."""


def parts(schema: object) -> Iterator[str]:
    """Yield the type of each schema within a schema."""
    if isinstance(schema, dict):
        if isinstance(kind := schema.get("type"), str):
            yield kind
        for part in schema.values():
            yield from parts(part)
    elif isinstance(schema, list | tuple):
        for part in schema:
            yield from parts(part)


def models() -> Iterator[TypeAdapter[object]]:
    """Yield all types of the package that values are validated against."""
    for module in pkgutil.iter_modules(sector.models.__path__, "sector.models."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, TypeAdapter):
                yield value
            elif isinstance(value, type) and issubclass(value, BaseModel) and value is not BaseModel:
                yield TypeAdapter(value)


def test_each_error_has_a_text_or_no_model_can_cause_it() -> None:
    neutral = OF_PYTHON.union(*OF_OTHER_SCHEMAS.values())
    types = {error["type"] for error in list_all_errors()}
    assert types - SPECIAL - neutral <= set(TEXTS)
    assert not neutral & set(TEXTS)


def test_no_model_has_a_schema_with_neutral_errors() -> None:
    used = {kind for adapter in models() for kind in parts(adapter.core_schema)}
    assert {"model", "int", "tagged-union"} <= used
    assert not used & set(OF_OTHER_SCHEMAS)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (int, "x", "must be an integer"),
        (int, 1.5, "must be an integer, without a fraction"),
        (int, "9" * 5_000, "must be an integer with fewer digits"),
        (float, [], "must be a number"),
        (bool, 7, "must be true or false"),
        (str, None, "must be a string"),
        (None, 0, "must be null"),
        (dict[str, int], [], "must be an object"),
        (tuple[int, ...], 5, "must be a list"),
        (Annotated[int, Field(ge=1)], 0, "must be at least 1"),
        (Annotated[int, Field(le=10**12)], 2**70, "must be at most 1000000000000"),
        (Annotated[int, Field(gt=1)], 1, "must be greater than 1"),
        (Annotated[float, Field(lt=1)], 1, "must be less than 1"),
        (Annotated[str, Field(min_length=1)], "", "must have at least 1 character"),
        (Annotated[str, Field(min_length=21)], "", "must have at least 21 characters"),
        (Annotated[str, Field(max_length=2)], "abc", "must have at most 2 characters"),
        (Annotated[str, Field(pattern="^[a-z]{1,3}$")], "A", "must match the pattern ^[a-z]{1,3}$"),
        (Annotated[list[int], Field(min_length=1)], [], "must have at least 1 item"),
        (Annotated[list[int], Field(max_length=2)], [1, 2, 3], "must have at most 2 items"),
        (Literal["a", "b"], "c", "must be 'a' or 'b'"),
        (sector.models.Join, {}, "is required"),
        (sector.models.Join, {"faction": "Me", "x\x1b": 1}, "is not a known field"),
        (sector.models.SimConfig, {"players": ["A", "A"]}, "players and puppets must have different names"),
        (sector.models.SimConfig, [], "must be an object"),
    ],
)
def test_a_text_states_what_a_value_must_be(kind: type, value: object, text: str) -> None:
    with pytest.raises(ValidationError) as error:
        TypeAdapter(kind).validate_python(value)
    assert describe_error(error.value.errors()[0]) == text


def test_an_error_without_a_text_is_neutral() -> None:
    assert describe_error({"type": "of_a_later_version", "loc": (), "msg": "theirs", "input": 1}) == NEUTRAL
    assert describe_error({"type": "less_than", "loc": (), "msg": "theirs", "input": 1}) == NEUTRAL
    assert describe_json_error("something of a later version") == "is not JSON"


@pytest.mark.parametrize("key", ["secret", " at line 9 column 9", "\n", "\x1b[2J"])
def test_a_duplicate_field_is_not_quoted(key: str) -> None:
    text = describe_json_error(f'Detected duplicate key "{key}" at line 1 column 22')
    assert text == "is not JSON: an object has a field twice, at line 1 column 22"
