"""Validation of one value against the type of a model."""

from pydantic import TypeAdapter, ValidationError

from sector.models.error_texts import describe_error


def validate[T](kind: TypeAdapter[T], value: object) -> str:
    """Return the text of the error of a value, or "" if the value is valid.

    `kind`: the type to validate against, strictly.
    """
    try:
        kind.validate_python(value, strict=True)
    except ValidationError as error:
        return describe_error(error.errors(include_url=False, include_input=False)[0])
    return ""
