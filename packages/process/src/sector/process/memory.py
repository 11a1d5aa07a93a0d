"""Memory of long-running processes: freed blocks of the C library, and the garbage collector of Python."""

import ctypes
import gc

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_MAX_KEPT_BYTES = 2**30
_NEW_OBJECTS = 100_000


def keep_freed_memory() -> bool:
    """Have the C library keep freed memory for the next block, up to 1 GiB each; says whether it can (glibc can).

    It is for processes that make large blocks repeatedly, such as the snapshots of a worker. By default glibc
    takes every block of more than 32 MiB from the kernel and returns it at once, so that each costs page faults. Threads have arenas of
    their own, of 64 MiB at most each. So all threads share one arena. Source: mallopt(3).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    parameters = ((_M_MMAP_THRESHOLD, _MAX_KEPT_BYTES), (_M_TRIM_THRESHOLD, _MAX_KEPT_BYTES), (_M_ARENA_MAX, 1))
    return all(mallopt(parameter, value) == 1 for parameter, value in parameters)


def freeze_startup_heap() -> None:
    """Exclude all objects that exist now from garbage collection: what is loaded at the start stays for the life of the process."""
    gc.collect()
    gc.freeze()


def tune_gc() -> None:
    """Collect garbage less often. Reference counts free nearly all objects.

    A process that answers many requests at the same time makes thousands of objects in a moment, and each collection visits all of them.
    """
    gc.set_threshold(_NEW_OBJECTS, 20, 100)
