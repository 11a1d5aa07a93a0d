"""The reaper: ends what is left of a world whose standalone process died without stopping it, were it by SIGKILL.

It leads the process group that all children are in. Its standard input closes when standalone is gone; `done` before that
says that nothing is left to end. The pipe whose descriptor is its argument closes when the last child is gone.
"""

import os
import select
import signal
import sys

_GRACE_S = 5.0


def main() -> None:
    """Wait for standalone to end; then make sure that its children do."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    children_gone = int(sys.argv[1])
    if sys.stdin.buffer.read() == b"done":
        return
    os.killpg(0, signal.SIGTERM)
    select.select([children_gone], [], [], _GRACE_S)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
