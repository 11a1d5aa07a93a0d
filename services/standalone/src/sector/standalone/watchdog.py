"""The watchdog: kills the processes of a world whose standalone process died without stopping them, even by SIGKILL.

It leads the process group of all children. Its standard input closes when standalone ends; `done` before that means that all
children have ended. The pipe whose descriptor is its argument closes when the last child ends.
"""

import os
import select
import signal
import sys

_GRACE_S = 5.0


def main() -> None:
    """Wait until standalone ends, then terminate its children."""
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
