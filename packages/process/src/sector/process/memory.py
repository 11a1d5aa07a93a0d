"""Memory of processes that make large blocks over and over, such as a worker its snapshots."""

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_MOST_BYTES = 2**30


def keep_freed_memory() -> bool:
    """Have the C library keep freed memory for the next block, up to 1 GiB each; says whether it can (glibc can).

    By itself glibc takes every block of more than 32 MiB from the kernel and gives it back at once, so each is paid for page by page.
    Source: mallopt(3).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return all(mallopt(parameter, _MOST_BYTES) == 1 for parameter in (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD))
