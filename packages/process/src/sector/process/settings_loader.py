"""Loading of settings from environment variables.

An invalid setting ends the process with its name, its value, and the allowed values.
"""

import re
import sys
from collections.abc import Iterator
from typing import NoReturn, Protocol, get_args, runtime_checkable

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from sector.models.error_texts import describe_error, list_causes
from sector.models.printable import printable
from sector.process.environment import ignore_library_variables
from sector.process.log_stream import print_error
from sector.process.redaction import redact_tracebacks, register_secrets
from sector.process.renamed_settings import find_variable
from sector.process.settings import EXIT_WRONG_SETTING, Settings

_MAX_SHOWN = 200
_BARE_URL = re.compile(r"([a-z+]{1,20}://)?[\w.-]*(:[0-9]{1,5})?(/[\w-]{0,20})?")
"""A URL of one host that cannot contain a password."""


def load[T: Settings](kind: type[T], *, about: str) -> T:
    """Return the settings of this process. An invalid value or argument exits with code 2.

    `about`: the purpose of the process, for `--help`, which prints all settings.
    """
    if sys.argv[1:] in (["-h"], ["--help"]):
        print(_help(kind, about))
        sys.exit(0)
    if sys.argv[1:]:
        _exit_with_errors(
            [f"unknown argument {sys.argv[1]!r}: this process takes environment variables only; --help lists them"]
        )
    return load_environment(kind)


def load_environment[T: Settings](kind: type[T]) -> T:
    """Return the settings of this process without parsing the command line. An invalid value exits with code 2."""
    ignore_library_variables()
    redact_tracebacks()
    try:
        settings = kind()
    except ValidationError as error:
        errors_by_name: dict[str, list[ErrorDetails]] = {}
        for each in list_causes(error):
            errors_by_name.setdefault(str(each["loc"][0]), []).append(each)
        _exit_with_errors([_describe(kind, name, errors) for name, errors in errors_by_name.items()])
    register_secrets(_secrets_of(settings))
    return settings


@runtime_checkable
class _HasSecrets(Protocol):
    """A value that contains secrets, such as the password in a URL."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secrets, each as a text."""


def _secrets_of(settings: Settings) -> Iterator[str]:
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            yield value.get_secret_value()
        elif isinstance(value, _HasSecrets):
            yield from value.secrets


def _exit_with_errors(errors: list[str]) -> NoReturn:
    for error in errors:
        print_error(printable(error))
    sys.exit(EXIT_WRONG_SETTING)


def _describe(kind: type[Settings], name: str, errors: list[ErrorDetails]) -> str:
    """Return the line for one setting: its first error, and the number of other errors."""
    field, inner = kind.model_fields[name], ".".join(map(str, errors[0]["loc"][1:]))
    variable, value = find_variable(kind, name)
    more = f" (and {len(errors) - 1} more errors)" if len(errors) > 1 else ""
    return (
        f"wrong setting {variable}={_show(field, value)}: {f'{inner}: ' if inner else ''}{describe_error(errors[0])}{more}."
        f" Allowed: {field.description}"
    )


def _show(field: FieldInfo, value: str) -> str:
    """Return a value for a message. It is hidden if it is a secret or may contain a password."""
    may_have_password = (
        "@" in value or ("://" in value and "?" in value) or (not field.repr and not _BARE_URL.fullmatch(value))
    )
    if may_have_password or _is_secret(field.annotation):
        return "(hidden)"
    return repr(value if len(value) <= _MAX_SHOWN else f"{value[:_MAX_SHOWN]}…")


def _is_secret(annotation: object) -> bool:
    return annotation is SecretStr or SecretStr in get_args(annotation)


def _help(kind: type[Settings], about: str) -> str:
    program = about.partition(":")[0]
    lines = [f"usage: {program} [--help]", "", about, "", "Environment variables:"]
    for name, field in kind.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        lines += [f"  {name.upper()}  (default: {default!s})", f"      {field.description}"]
    return "\n".join(lines)
