"""Keep freed memory in the process, for the next layer.

A layer's buffers are of megabytes. glibc returns blocks of that size to the system as soon as
they are freed, and the next layer's are mapped and zeroed page by page: on two x86-64 cores
that took up to two thirds of an eight-bit layer's time.
"""

from __future__ import annotations

import ctypes
import platform
from functools import cache

# Numbers of mallopt(3).
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3

#: Largest block that glibc allocates from the heap on 64 bits.
_LARGEST_FROM_HEAP = 32 * 2**20

#: Freed memory at the heap's end that is kept (bytes).
_KEPT = 128 * 2**20


@cache
def keep_freed_memory() -> bool:
    """Set glibc's thresholds so that it keeps large freed blocks; return whether it worked.

    It affects the whole process, once: at most 128 MiB more stay allocated. Other C libraries
    are left alone, and so are thresholds that the operator set (``MALLOC_TRIM_THRESHOLD_``).
    """
    import os

    if platform.libc_ver()[0] != "glibc" or "MALLOC_TRIM_THRESHOLD_" in os.environ:
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(_M_MMAP_THRESHOLD, _LARGEST_FROM_HEAP)) and bool(
        mallopt(_M_TRIM_THRESHOLD, _KEPT)
    )
