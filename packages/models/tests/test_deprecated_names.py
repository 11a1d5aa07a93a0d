"""Earlier names work, with a warning that states the new name."""

import sys
import types
from collections.abc import Iterator
from decimal import Decimal

import pytest

from fixtures.earlier_names import assert_module_moved, assert_renamed
from sector.models.deprecated_names import adopt_earlier_overrides, deprecated_names


@pytest.fixture
def module() -> Iterator[types.ModuleType]:
    module = types.ModuleType("example")
    module.__dict__.update(
        New=int, __getattr__=deprecated_names("example", {"Old": "New", "Moved": "decimal.Decimal.from_float"})
    )
    sys.modules["example"] = module
    yield module
    del sys.modules["example"]


def test_an_earlier_name_returns_the_new_one_with_a_warning(module: types.ModuleType) -> None:
    with pytest.warns(DeprecationWarning, match=r"example\.Old is now example\.New"):
        assert module.Old is int


def test_a_new_name_may_be_in_another_module(module: types.ModuleType) -> None:
    with pytest.warns(DeprecationWarning, match=r"example\.Moved is now decimal\.Decimal\.from_float$"):
        assert module.Moved(0.5) == Decimal("0.5")


def test_an_unknown_name_is_an_attribute_error(module: types.ModuleType) -> None:
    with pytest.raises(AttributeError, match="module 'example' has no attribute 'other'"):
        _ = module.other


def test_the_new_name_gives_no_warning(module: types.ModuleType, recwarn: pytest.WarningsRecorder) -> None:
    assert module.New is int
    assert not recwarn.list


@pytest.mark.parametrize(("earlier", "now"), [("answers", "responses"), ("names", "field_types")])
def test_an_earlier_module_is_the_new_one(earlier: str, now: str) -> None:
    assert_module_moved(f"sector.models.{earlier}", f"sector.models.{now}")


def test_an_earlier_error_of_archives_is_the_new_one() -> None:
    assert_renamed("sector.models.archive.FieldError", "sector.models.archive.ArchiveFieldError")


class Greeter:
    """A class that users subclass. `greet` was `hello`."""

    def __init_subclass__(cls) -> None:
        adopt_earlier_overrides(cls, {"hello": "greet"})

    def greet(self) -> str:
        """Return a greeting."""
        return "base"

    def hello(self) -> str:
        """Return what `greet` returns."""
        return self.greet()


class EarlierMixin:
    """What was written for the earlier name."""

    def hello(self) -> str:
        """Return another greeting."""
        return "mixin"


def test_an_override_of_an_earlier_method_name_overrides_the_method() -> None:
    with pytest.warns(DeprecationWarning, match=r"Earlier\.hello is now greet$") as warned:

        class Earlier(Greeter):
            def hello(self) -> str:
                return "earlier"

    assert [each.filename for each in warned] == [__file__]
    assert Earlier().greet() == "earlier"


def test_a_mixin_with_the_earlier_method_name_overrides_the_method() -> None:
    with pytest.warns(DeprecationWarning, match=r"Mixed\.hello is now greet$"):

        class Mixed(EarlierMixin, Greeter):
            pass

    assert Mixed().greet() == "mixin"


def test_a_subclass_with_the_new_method_name_gives_no_warning(recwarn: pytest.WarningsRecorder) -> None:
    class Both(Greeter):
        def greet(self) -> str:
            return "new"

        def hello(self) -> str:
            return "earlier"

    class Neither(Greeter):
        pass

    assert [Both().greet(), Neither().greet(), Neither().hello()] == ["new", "base", "base"]
    assert not recwarn.list
