"""Texts for validation errors in the words of Sector.

The texts of pydantic and of its JSON parser change with the version and contain names of Python types. Each text here
follows the name of a field: `ships: must be an integer`.
"""

import re
from collections.abc import Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

NEUTRAL = "is invalid"
"""The text of errors that no value from outside can cause in these models, such as errors of function calls."""

_OBJECT, _LIST, _STRING = "must be an object", "must be a list", "must be a string"
_INTEGER, _NUMBER, _BOOLEAN = "must be an integer", "must be a number", "must be true or false"

TEXTS: Mapping[str, str] = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "frozen_field": "cannot be changed",
    "frozen_instance": "cannot be changed",
    "recursion_loop": "contains itself",
    "recursion_depth_exceeded": "is nested too deeply",
    "json_type": "must be JSON in a string",
    "invalid_key": "must have strings as field names",
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "dict_type": _OBJECT,
    "mapping_type": _OBJECT,
    "union_tag_not_found": "has no field with its type",
    "union_tag_invalid": "has an unknown type",
    "none_required": "must be null",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "finite_number": "must be a finite number",
    "iterable_type": _LIST,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "set_item_not_hashable": "must be a string, a number, true, false or null",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "string_type": _STRING,
    "string_sub_type": _STRING,
    "string_unicode": "must be a string of valid Unicode characters",
    "string_not_ascii": "must be a string of ASCII characters",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match the pattern {pattern}",
    "bytes_type": _STRING,
    "bytes_too_short": "must have at least {min_length} bytes",
    "bytes_too_long": "must have at most {max_length} bytes",
    "bytes_invalid_encoding": "has an invalid encoding",
    "bool_type": _BOOLEAN,
    "bool_parsing": _BOOLEAN,
    "int_type": _INTEGER,
    "int_parsing": _INTEGER,
    "int_parsing_size": "must be an integer with fewer digits",
    "int_from_float": "must be an integer, without a fraction",
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
}
"""Texts by the `type` of an error. Names in braces are limits, from `ctx`."""

_JSON_FAULTS: Mapping[str, str] = {
    "EOF while parsing": "it ends too early",
    "trailing comma": "a comma is not followed by a value",
    "trailing characters": "text follows the end of the value",
    "Detected duplicate key": "an object has a field twice",
    "expected value": "a value is missing or is malformed",
    "expected ident": "a word is not true, false or null",
    "expected `:`": "a colon is missing",
    "expected `,`": "a comma or a closing bracket is missing",
    "key must be a string": "the name of a field is not a string in double quotes",
    "invalid escape": "a string has an invalid escape sequence",
    "unexpected end of hex escape": "a string has half of a surrogate pair",
    "lone leading surrogate": "a string has half of a surrogate pair",
    "invalid unicode code point": "a string is not UTF-8",
    "control character": "a string has a control character without an escape",
    "invalid number": "a number is malformed",
    "number out of range": "a number has too many digits",
    "recursion limit exceeded": "it is nested too deeply",
}
"""Texts by the beginning of the parser's text."""
_POSITION = re.compile(r" at (line \d{1,9} column \d{1,9})$")
_MAX_VALUE = 200


def list_causes(error: ValidationError) -> list[ErrorDetails]:
    """Return the errors that are causes.

    Defaults that depend on an invalid field have errors that only follow from its error.
    """
    errors = error.errors(include_url=False, include_input=False)
    return [each for each in errors if each["type"] != "default_factory_not_called"]


def describe_error(error: ErrorDetails) -> str:
    """Return the text of one error, without the name of its field."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "json_invalid":
        return describe_json_error(str(context.get("error", "")))
    if kind == "value_error":
        # The text of a ValueError comes from our own validators.
        return str(context.get("error", "")) or NEUTRAL
    text = TEXTS.get(kind, NEUTRAL)
    if "{" not in text:
        return text
    try:
        return _singular(text.format_map({name: _limit(value) for name, value in context.items()}))
    except KeyError:
        # Some errors have no limits.
        return NEUTRAL


def describe_json_error(parser_text: str) -> str:
    """Return why a text is not JSON, and where.

    `parser_text`: the text of the JSON parser jiter. It may quote the input, which the result does not.
    """
    fault = next((ours for theirs, ours in _JSON_FAULTS.items() if parser_text.startswith(theirs)), "")
    place = _POSITION.search(parser_text)
    return f"is not JSON{f': {fault}' if fault else ''}{f', at {place[1]}' if place else ''}"


def _limit(value: object) -> str:
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)[:_MAX_VALUE]


def _singular(text: str) -> str:
    return text.removesuffix("s") if re.search(r"\b1 \w+s$", text) else text
