"""Back ends of the engine: float32, bfloat16 or int8 on a CPU, bfloat16 on a GPU."""

from __future__ import annotations

import copy
import ctypes
import logging
import os
import platform
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from clinical_nlp.errors import ModelError
from clinical_nlp.neural.batch_invariant import quantise

log = logging.getLogger(__name__)

#: Values of ``backend``.
BACKENDS = ("auto", "float32", "bfloat16", "int8")

# Numbers of mallopt(3).
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3

#: Largest block that glibc allocates from the heap on 64 bits.
_LARGEST_FROM_HEAP = 32 * 2**20

#: Freed memory at the heap's end that is kept (bytes).
_KEPT = 128 * 2**20

#: Runs a batch: ids, mask, word bounds, features (int64 arrays) to emissions (float32).
Runner = Callable[..., npt.NDArray[np.float32]]


@cache
def warn_once(message: str) -> None:
    """Log a warning once a process."""
    log.warning(message)


def choose(backend: str, device: str) -> tuple[str, str]:
    """Resolve the back end and the device.

    Parameters
    ----------
    backend
        One of :data:`BACKENDS`. ``"auto"`` depends on the processor's instructions only, not on
        a timing, which would vary with the machine's load.
    device
        ``"cpu"``, ``"cuda"`` (or ``"cuda:1"``), or ``"auto"``: a GPU if there is one.

    Returns
    -------
    tuple of str
        Back end (never ``"auto"``) and device.

    Raises
    ------
    ModelError
        E446: there is no GPU. E447: there is no such back end or device.
    """
    if backend not in BACKENDS:
        raise ModelError(
            "E447", f"there is no back end '{backend}': choose one of {', '.join(BACKENDS)}"
        )
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda"):
        if not torch.cuda.is_available():
            raise ModelError(
                "E446",
                f"the encoder was to run on '{device}', and torch finds no GPU here: set "
                'device = "cpu" or "auto", or install torch\'s CUDA build and a driver',
            )
        if backend == "int8":
            warn_once("The int8 back end is for CPUs; the encoder runs in bfloat16 on the GPU.")
        return ("float32" if backend == "float32" else "bfloat16"), device
    if device != "cpu":
        raise ModelError("E447", f"there is no device '{device}': choose cpu, cuda or auto")
    return (_fastest_here() if backend == "auto" else backend), device


def _fastest_here() -> str:
    """The fastest back end for this processor's instructions."""
    # Public in name only from torch 2.13 on; absent on other architectures.
    has_vnni = getattr(torch.cpu, "_is_vnni_supported", lambda: False)
    has_bfloat16 = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    if has_vnni():
        return "int8"
    return "bfloat16" if has_bfloat16() else "float32"


def runner(module: nn.Module, backend: str, device: str) -> Runner:
    """Prepare a module for a back end; its own weights are not changed.

    Parameters
    ----------
    module
        Takes ids, mask, word bounds and features; returns emissions.
    backend, device
        As :func:`choose` returns them.
    """
    if device == "cpu":
        keep_freed_memory()
    if backend == "int8":
        ready = quantise(copy.deepcopy(module))
    elif backend == "bfloat16":
        ready = copy.deepcopy(module).to(torch.bfloat16)
    else:
        ready = module
    ready = ready.eval().to(device)

    def run(*arrays: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        with torch.inference_mode():
            tensors = [torch.from_numpy(array).to(device) for array in arrays]
            emissions: npt.NDArray[np.float32] = ready(*tensors).float().cpu().numpy()
            return emissions

    return run


@cache
def keep_freed_memory() -> bool:
    """Set glibc's thresholds so that it keeps large freed blocks; return whether it worked.

    A layer's buffers are of megabytes. glibc returns blocks of that size to the system as soon as
    they are freed, and the next layer's are mapped and zeroed page by page: on two x86-64 cores
    that took up to two thirds of an eight-bit layer's time.

    It affects the whole process, once: at most 128 MiB more stay allocated. Other C libraries
    are left alone, and so are thresholds that the operator set (``MALLOC_TRIM_THRESHOLD_``).
    """
    if platform.libc_ver()[0] != "glibc" or "MALLOC_TRIM_THRESHOLD_" in os.environ:
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(_M_MMAP_THRESHOLD, _LARGEST_FROM_HEAP)) and bool(
        mallopt(_M_TRIM_THRESHOLD, _KEPT)
    )
