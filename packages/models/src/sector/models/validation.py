"""Validation of one value against a type of a model."""

from pydantic import TypeAdapter, ValidationError

from sector.models.error_texts import describe_error


def validate[T](kind: TypeAdapter[T], value: object) -> str:
    """Return the error of a value of a type, or "" if it is valid."""
    try:
        kind.validate_python(value, strict=True)
    except ValidationError as error:
        return describe_error(error.errors(include_url=False, include_input=False)[0])
    return ""
