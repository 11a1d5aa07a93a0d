"""The earlier name of `python -m sector.world.maps`. It works for one minor version."""

import sys
import warnings

from sector.world.maps import main

__all__ = ["main"]

if __name__ == "__main__":
    print("charts: `python -m sector.world.charts` is now `python -m sector.world.maps`", file=sys.stderr)
    sys.exit(main())

warnings.warn("sector.world.charts is now sector.world.maps", DeprecationWarning, stacklevel=2)
