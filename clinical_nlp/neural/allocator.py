"""Keeps freed memory in the process, where the next layer finds it warm.

The buffers of a layer are of megabytes. glibc gives blocks of that size back to the system as
soon as they are freed, and the next layer's are mapped and zeroed page by page: on two x86-64
cores that took up to two thirds of an eight-bit layer's time.
"""

from __future__ import annotations

import ctypes
import platform
from functools import cache

# Numbers of mallopt(3).
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3

#: Largest block that glibc lets come from the heap on 64 bits.
_LARGEST_FROM_HEAP = 32 * 2**20

#: Freed memory at the heap's end that is kept (bytes).
_KEPT = 128 * 2**20


@cache
def keep_freed_memory() -> bool:
    """Tell glibc not to give large freed blocks back; return whether it was told.

    For the whole process, once. At most 128 MiB stay that would else have gone. Nothing
    happens where the C library is another, or where the operator has set the thresholds
    (``MALLOC_TRIM_THRESHOLD_``) for himself.
    """
    import os

    if platform.libc_ver()[0] != "glibc" or "MALLOC_TRIM_THRESHOLD_" in os.environ:
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(_M_MMAP_THRESHOLD, _LARGEST_FROM_HEAP)) and bool(
        mallopt(_M_TRIM_THRESHOLD, _KEPT)
    )
