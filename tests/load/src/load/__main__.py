"""`./pants run tests/load -- --host URL …`: loads a running Sector. Locust's own options hold too: --help lists all of them."""

import importlib
import sys
from pathlib import Path

from locust.main import main as locust_main


def main() -> None:
    """Run Locust on the users of this folder; exits with the verdict: 0 if all objectives are met."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        # Locust shows its help before it reads the file that adds our options.
        importlib.import_module("load.locustfile")
    sys.argv[1:1] = ["--locustfile", str(Path(__file__).with_name("locustfile.py"))]
    locust_main()


if __name__ == "__main__":
    main()
