"""Earlier names of a module: they work for one minor version, with a warning that states the new name."""

import sys
import warnings
from collections.abc import Callable, Mapping


def deprecated_names(module: str, renamed: Mapping[str, str]) -> Callable[[str], object]:
    """Return a `__getattr__` for the module of this name. `renamed` maps each earlier name to the new one."""

    def get_attribute(name: str) -> object:
        new_name = renamed.get(name)
        if new_name is None:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warnings.warn(f"{module}.{name} is now {module}.{new_name}", DeprecationWarning, stacklevel=2)
        attribute: object = getattr(sys.modules[module], new_name)
        return attribute

    return get_attribute
