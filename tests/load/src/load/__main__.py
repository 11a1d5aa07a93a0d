"""`./pants run tests/load -- --host URL …`: loads a running Sector. Options of Locust apply too."""

import importlib
import sys
from pathlib import Path

from locust.main import main as locust_main


def main() -> None:
    """Run Locust on the users of this folder; exits with the verdict: 0 if all objectives are met."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        # Locust prints its help before it loads the file that adds these options.
        importlib.import_module("load.locustfile")
    sys.argv[1:1] = ["--locustfile", str(Path(__file__).with_name("locustfile.py"))]
    locust_main()


if __name__ == "__main__":
    main()
