"""Validation of one value against a type of a model."""

from functools import cache

from pydantic import ConfigDict, TypeAdapter, ValidationError


@cache
def _adapter(kind: object) -> TypeAdapter[object]:
    return TypeAdapter(kind, config=ConfigDict(strict=True))


def validate(kind: object, value: object) -> str:
    """Return what is wrong with a value of a type such as `sector.models.archive.StreamId`; "" where nothing is."""
    try:
        _adapter(kind).validate_python(value)
    except ValidationError as error:
        return error.errors(include_url=False, include_context=False)[0]["msg"]
    return ""
