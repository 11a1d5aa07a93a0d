"""Memory of long-running processes: freed blocks of the C library, and the garbage collector of Python."""

import ctypes
import gc

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_MAX_KEPT_BYTES = 2**30
_NEW_OBJECTS = 100_000


def keep_freed_memory() -> bool:
    """Let the C library retain freed memory for later blocks of up to 1 GiB. Return whether it can; glibc can.

    Call it in processes that allocate large blocks repeatedly, such as the snapshots of a worker. By default glibc gets
    each block of more than 32 MiB from the kernel and returns it at once, so that each block causes page faults. All
    threads share one arena, because their own arenas have at most 64 MiB. Source: mallopt(3).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    parameters = ((_M_MMAP_THRESHOLD, _MAX_KEPT_BYTES), (_M_TRIM_THRESHOLD, _MAX_KEPT_BYTES), (_M_ARENA_MAX, 1))
    return all(mallopt(parameter, value) == 1 for parameter, value in parameters)


def freeze_startup_heap() -> None:
    """Exclude all existing objects from garbage collection, because objects from the start live as long as the process."""
    gc.collect()
    gc.freeze()


def tune_gc() -> None:
    """Reduce the frequency of garbage collection. Reference counts free nearly all objects.

    A process with many concurrent requests creates thousands of objects in a short time, and each collection visits all
    of them.
    """
    gc.set_threshold(_NEW_OBJECTS, 20, 100)
