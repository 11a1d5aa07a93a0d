"""Validation of one value against a type of a model."""

from pydantic import TypeAdapter, ValidationError


def validate[T](kind: TypeAdapter[T], value: object) -> str:
    """Return what is wrong with a value of a type; "" where nothing is."""
    try:
        kind.validate_python(value, strict=True)
    except ValidationError as error:
        return error.errors(include_url=False, include_context=False)[0]["msg"]
    return ""
