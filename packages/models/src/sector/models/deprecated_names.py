"""Aliases for earlier names of attributes, methods and modules. They exist for one minor version and warn with the new name."""

import importlib
import pkgutil
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


def deprecated_names(module: str, renamed: Mapping[str, str]) -> Callable[[str], object]:
    """Return a `__getattr__` for the module `module`. `renamed` maps each earlier name to the new name.

    A new name with dots is a full name, such as that of an attribute that moved to another module. It is imported on
    first use. Each use emits a DeprecationWarning.
    """

    def get_attribute(name: str) -> object:
        new_name = renamed.get(name)
        if new_name is None:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        full_name = new_name if "." in new_name else f"{module}.{new_name}"
        warnings.warn(f"{module}.{name} is now {full_name}", DeprecationWarning, stacklevel=2)
        attribute: object = (
            pkgutil.resolve_name(full_name) if full_name == new_name else getattr(sys.modules[module], new_name)
        )
        return attribute

    return get_attribute


def moved_names(package: str, module: str) -> Callable[[str], object]:
    """Return a `__getattr__` for a package that was a module before. Its public names are now those of `module`."""

    def get_attribute(name: str) -> object:
        # Python also looks up names such as `__path__`, and modules of the package before it imports them.
        if not name.startswith("_"):
            attribute: object = getattr(importlib.import_module(module), name, None)
            if attribute is not None:
                warnings.warn(f"{package}.{name} is now {module}.{name}", DeprecationWarning, stacklevel=2)
                return attribute
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return get_attribute


def deprecate_modules(moved: Mapping[str, str]) -> None:
    """Let modules be imported under their earlier full names. `moved` maps each earlier name to the new full name."""
    sys.meta_path.append(_EarlierModules(moved))


def adopt_earlier_overrides(cls: type, renamed: Mapping[str, str]) -> None:
    """Let a class that overrides a method by its earlier name override the method. Call it in `__init_subclass__`.

    `renamed` maps each earlier name to the new one. Where a class has both, the one that Python finds first counts.
    """
    for earlier, name in renamed.items():
        if (position := _position(cls, earlier)) < _position(cls, name):
            warnings.warn(
                f"{cls.__module__}.{cls.__qualname__}.{earlier} is now {name}", DeprecationWarning, stacklevel=3
            )
            setattr(cls, name, vars(cls.__mro__[position])[earlier])


def is_adopted(cls: type, earlier: str, name: str) -> bool:
    """Return whether the override of an earlier method name, which `cls` has or inherits, overrides the new one."""
    override = getattr(cls, earlier)
    return any(vars(each).get(name) is override for each in cls.__mro__)


def _position(cls: type, name: str) -> int:
    """Return where in the order of method resolution this name is defined first."""
    return next((place for place, each in enumerate(cls.__mro__) if name in vars(each)), len(cls.__mro__))


class _EarlierModules(MetaPathFinder, Loader):
    """Imports a module under its earlier name. It is the last finder, so that it does not slow down other imports."""

    def __init__(self, moved: Mapping[str, str]) -> None:
        self._moved = moved

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname not in self._moved:
            return None
        warnings.warn(f"{fullname} is now {self._moved[fullname]}", DeprecationWarning, stacklevel=2)
        return ModuleSpec(fullname, self)

    def exec_module(self, module: ModuleType) -> None:
        # The import statement binds the module that is in sys.modules afterwards, so both names have the same module.
        sys.modules[module.__name__] = importlib.import_module(self._moved[module.__name__])
