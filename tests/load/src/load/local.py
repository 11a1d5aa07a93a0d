"""`./pants run tests/load:local -- …`: starts a world on this machine, loads it, and stops it again."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from load.__main__ import main as load_main
from sector.api.keyring import secret_key
from sector.api.token import sign_token

_WITHIN_S = 120.0
_BASE = 8000
# A load comes from one address, with one token.
_UNLIMITED = dict.fromkeys(("RATE_PER_TOKEN", "RATE_PER_ADDRESS", "REQUESTS_PER_TOKEN", "REQUESTS_PER_ADDRESS"), "0")


def main() -> None:
    """Load a world of our own; exits with the verdict."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        load_main()
    with tempfile.TemporaryDirectory(prefix="sector-load-") as folder:
        base = int(os.environ.get("PORT_BASE", _BASE))
        command = [sys.executable, "-m", "sector.standalone", "--data", folder, "--port-base", str(base)]
        world = subprocess.Popen(
            [*command, "--systems", os.environ.get("SYSTEMS", "300")],
            env={**os.environ, **_UNLIMITED, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            stdout=subprocess.DEVNULL,
        )
        try:
            _wait(world, f"http://127.0.0.1:{base}/health/ready")
            secret = Path(folder, "auth-secret").read_text().strip()
            os.environ["SECTOR_TOKEN"] = sign_token(secret_key(secret), "sector", "load", ["*"])
            sys.argv[1:1] = ["--host", f"http://127.0.0.1:{base}", "--viz", f"http://127.0.0.1:{base + 1000}"]
            load_main()
        finally:
            world.terminate()
            world.wait(timeout=30)


def _wait(world: subprocess.Popen[bytes], url: str) -> None:
    print("starting a world …", file=sys.stderr, flush=True)
    end_s = time.monotonic() + _WITHIN_S
    while time.monotonic() < end_s:
        if world.poll() is not None:
            sys.exit(
                f"the world did not start: standalone ended with {world.returncode}; PORT_BASE chooses other ports"
            )
        try:
            if httpx.get(url, timeout=5).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    sys.exit(f"the world is not ready after {_WITHIN_S:.0f} s")


if __name__ == "__main__":
    main()
