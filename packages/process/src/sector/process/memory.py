"""Memory of processes that make large blocks over and over, such as a worker its snapshots."""

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_MOST_BYTES = 2**30


def keep_freed_memory() -> bool:
    """Have the C library keep freed memory for the next block, up to 1 GiB each; says whether it can (glibc can).

    By itself glibc takes every block of more than 32 MiB from the kernel and gives it back at once, so each is paid for page by page;
    and in threads, which have arenas of their own, of no more than 64 MiB each. So all share one. Source: mallopt(3).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    told = ((_M_MMAP_THRESHOLD, _MOST_BYTES), (_M_TRIM_THRESHOLD, _MOST_BYTES), (_M_ARENA_MAX, 1))
    return all(mallopt(parameter, value) == 1 for parameter, value in told)
