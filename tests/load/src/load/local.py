"""`./pants run tests/load:local -- …`: starts a world on this machine, loads it, and stops it."""

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

_ABOUT = """\
Starts a world on this machine, loads it, and stops it. --host, --viz and the token are set. Environment variables:
  PORT_BASE  first port of the world (default: 8000)
  SYSTEMS    number of systems of the world (default: 300)
example: ./pants run tests/load:local -- --headless --users 100 --run-time 1m
"""
_WITHIN_S = 120.0
_BASE = 8000
# The load comes from one address, with one token.
_UNLIMITED = dict.fromkeys(("RATE_PER_TOKEN", "RATE_PER_ADDRESS", "REQUESTS_PER_TOKEN", "REQUESTS_PER_ADDRESS"), "0")


def main() -> None:
    """Start a world, load it, and stop it; exits with the exit code of the load test."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(_ABOUT)
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
