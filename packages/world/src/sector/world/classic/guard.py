"""The guard of a program. It starts the program, and kills it and all its descendants when the engine asks for that or exits.

The engine starts a guard for each program: `guard.py CONTROL LIMITS COMMAND…`. The guard uses only the standard library, because it
runs with the clean environment of the program. CONTROL is the descriptor of a socket, on which the guard reports whether the program
started. The guard kills when the other end closes. The kernel closes it even after a SIGKILL.

On Linux the guard adopts each descendant whose parent exits, so that no wrapper script, session or daemon hides a process from it.
On other systems it kills the process group of the program.
"""

import ctypes
import json
import os
import resource
import signal
import socket
import subprocess  # nosec B404
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_IS_LINUX = sys.platform == "linux"
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_IGNORED = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGALRM,
)

type ResourceLimits = Sequence[tuple[int, int]]
"""Pairs of a resource number and its limit."""


def main(arguments: Sequence[str]) -> None:
    """Guard a program until the control socket closes."""
    control = socket.socket(fileno=int(arguments[0]))
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        program = _start(arguments[2:], json.loads(arguments[1]))
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        control.sendall(json.dumps({"error": str(error)}).encode())
        return
    # The engine sees the end of the output only if the guard has closed its copies of the pipes.
    with Path(os.devnull).open("r+b") as null:
        for descriptor in (0, 1):
            os.dup2(null.fileno(), descriptor)
    # Until then the kernel reaps processes that exit.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with suppress(ConnectionError):
        control.sendall(json.dumps({"error": None}).encode())
        control.recv(1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _kill_all(program.pid)


def apply_limits(limits: ResourceLimits) -> None:
    """Limit this process and its descendants permanently."""
    for kind, soft in limits:
        _, hard = resource.getrlimit(kind)
        bound = soft if hard == resource.RLIM_INFINITY else min(soft, hard)
        # (macOS has no limit for the address space)
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (bound, bound))


def _start(command: Sequence[str], limits: ResourceLimits) -> "subprocess.Popen[bytes]":
    guard = os.getpid()

    def prepare() -> None:
        """Run in the process of the program, before it executes the program."""
        for number in _IGNORED:
            signal.signal(number, signal.SIG_DFL)
        apply_limits(limits)
        # The program must end together with its guard.
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:
            os._exit(1)

    # Python may have added LC_CTYPE.
    environment = {name: value for name, value in os.environ.items() if name != "LC_CTYPE"}
    return subprocess.Popen(  # nosec B603
        command,  # noqa: S603
        env=environment,
        preexec_fn=prepare,
        start_new_session=True,
    )


def _kill_all(program: int) -> None:
    """Kill processes until no descendant is left."""
    # Each pass kills all children before it waits, so that a process that forks in a loop cannot outrun the guard.
    _kill_group(program)
    while True:
        for pid in _children() if _IS_LINUX else ():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return


def _kill_group(leader: int) -> None:
    # It is not an error if the group has no process left.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _children() -> list[int]:
    """Return the child processes of this process: the program, and each descendant that was adopted."""
    ours, children = str(os.getpid()), []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        # A process may end in the meantime. Its name is in parentheses and may contain any character.
        with suppress(FileNotFoundError, ProcessLookupError):
            if stat.read_bytes().rpartition(b")")[2].split()[1] == ours.encode():
                children.append(int(stat.parent.name))
    return children


def _prctl(option: int, value: int) -> None:
    if _IS_LINUX:
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main(sys.argv[1:])
