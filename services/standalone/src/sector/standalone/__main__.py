"""`python -m sector.standalone`: a whole world in one command."""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from sector.standalone.options import parser


def main() -> None:
    """Run until Ctrl-C."""
    options = parser().parse_args()
    # Nobody else reads the world, its logs or its secret; the processes that this one starts inherit it.
    os.umask(0o077)
    # After the options, so that --help and a wrong option are answered at once: these imports take half a second.
    from sector.process.log_stream import print_error
    from sector.standalone.screen import shown
    from sector.standalone.standalone import run
    from sector.state.connect import SCHEMES

    redis_url = os.environ.get("REDIS_URL") or None
    if redis_url is not None and not redis_url.startswith(SCHEMES):
        print_error(f"wrong setting REDIS_URL={shown(redis_url)!r}. Allowed: {', '.join(SCHEMES)}")
        sys.exit(2)
    if options.data is not None:
        try:
            options.data.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            print_error(f"--data {options.data}: {error.strerror}")
            sys.exit(2)
        sys.exit(asyncio.run(run(options, redis_url, options.data.resolve())))
    with tempfile.TemporaryDirectory(prefix="sector-") as directory:
        code = asyncio.run(run(options, redis_url, Path(directory)))
    sys.exit(code)


if __name__ == "__main__":
    main()
