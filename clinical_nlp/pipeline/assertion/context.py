"""medSpaCy's ConText, imported without NLTK.

Importing any part of medSpaCy imports QuickUMLS, that imports NLTK, and that scikit-learn,
SciPy's statistics and pandas: 150 MiB and some seconds in every process that reads notes, for
a stop-word list that is not used here. QuickUMLS touches NLTK only when one of its own
matchers is built: until then a lazy module stands in for it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


class _LazyModule(ModuleType):
    """A module that is imported at the first access to an attribute."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the module holds
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(import_module(self.__name__), name)


@contextmanager
def _lazy_import(name: str) -> Iterator[None]:
    """Replace a module by a lazy one for the imports inside the block."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = _LazyModule(name)
    try:
        yield
    finally:
        del sys.modules[name]


with _lazy_import("nltk"):
    from medspacy.context import ConTextGraph, ConTextModifier, ConTextRule

__all__ = ["ConTextGraph", "ConTextModifier", "ConTextRule"]
