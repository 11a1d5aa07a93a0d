"""Earlier names of settings: they work for one minor version, and the log has a warning with the new name.

The type of a field states its earlier variable: `max_streams: Annotated[int, EarlierName("MOST_STREAMS")] = Field(…)`.
If both variables are set, the new one has precedence.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource


@dataclass(frozen=True, slots=True)
class EarlierName:
    """Marks a field of settings that had another name in the previous minor version: `name`, in capitals."""

    name: str


@dataclass(frozen=True, slots=True)
class EarlierSetting:
    """An environment variable with an earlier name.

    `overridden`: whether the new variable is also set, so this one has no effect.
    """

    earlier_name: str
    name: str
    overridden: bool


class EarlierNamesSource(PydanticBaseSettingsSource):
    """Reads settings from variables with earlier names. It follows the source that reads the new names."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[str | None, str, bool]:
        """Return the value of a field, if a variable with its earlier name has one."""
        earlier_name = _earlier_name(field)
        return (read_variable(earlier_name) or None) if earlier_name else None, field_name, False

    def __call__(self) -> dict[str, str]:
        """Return the value of each field whose earlier variable is set."""
        values = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in values.items() if value is not None}


def find_earlier_settings(kind: type[BaseModel]) -> Iterator[EarlierSetting]:
    """Yield the environment variables that set fields of `kind` by their earlier names."""
    for name, field in kind.model_fields.items():
        earlier_name = _earlier_name(field)
        if earlier_name and read_variable(earlier_name):
            yield EarlierSetting(earlier_name, name.upper(), overridden=bool(read_variable(name)))


def find_variable(kind: type[BaseModel], name: str) -> tuple[str, str]:
    """Return the environment variable that sets the field `name`, and its value.

    It is the earlier one if only that is set.
    """
    value, earlier_name = read_variable(name), _earlier_name(kind.model_fields[name])
    if not value and earlier_name and (earlier_value := read_variable(earlier_name)):
        return earlier_name, earlier_value
    return name.upper(), value


def read_variable(name: str) -> str:
    """Return the value of an environment variable, ignoring the case of its name, or "" if it is not set."""
    return next((value for key, value in os.environ.items() if key.lower() == name.lower()), "")


def _earlier_name(field: FieldInfo) -> str | None:
    return next((mark.name for mark in field.metadata if isinstance(mark, EarlierName)), None)
