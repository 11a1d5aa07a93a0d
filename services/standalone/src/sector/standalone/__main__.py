"""`python -m sector.standalone`: a complete world with one command."""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from sector.standalone.options import parser


def main() -> None:
    """Run until Ctrl-C."""
    options = parser().parse_args()
    # Only this user may read the world, its logs and its secret. The processes that this one starts inherit the umask.
    os.umask(0o077)
    # Imported late, because it takes half a second: --help and option errors appear at once.
    from sector.models.printable import printable
    from sector.models.regular_file import FileError
    from sector.process.log_stream import print_error
    from sector.process.settings_loader import load_environment
    from sector.standalone.directories import create_directory
    from sector.standalone.settings import StandaloneSettings
    from sector.standalone.standalone import run

    settings = load_environment(StandaloneSettings)
    if options.data is not None:
        try:
            create_directory(options.data)
        except FileError as error:
            print_error(printable(f"--data {error}. Allowed: a folder, or a name where one can be created"))
            sys.exit(2)
        sys.exit(asyncio.run(run(options, settings.redis, options.data.resolve())))
    with tempfile.TemporaryDirectory(prefix="sector-") as directory:
        code = asyncio.run(run(options, settings.redis, Path(directory)))
    sys.exit(code)


if __name__ == "__main__":
    main()
