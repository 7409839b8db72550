"""medSpaCy's ConText, without what it never uses.

Importing any part of medSpaCy imports QuickUMLS, that imports NLTK, and that scikit-learn,
SciPy's statistics and pandas: 150 MiB and some seconds in every process that reads notes, for
a stop-word list that nobody here asks for. QuickUMLS touches NLTK only when one of its own
matchers is built; until then a stand-in can hold its place.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


class _Later(ModuleType):
    """A module that is imported when something of it is asked for."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the module holds
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(import_module(self.__name__), name)


@contextmanager
def _put_off(name: str) -> Iterator[None]:
    """Give whoever imports a module meanwhile a stand-in for it; later imports are real."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = _Later(name)
    try:
        yield
    finally:
        del sys.modules[name]


with _put_off("nltk"):
    from medspacy.context import ConTextGraph, ConTextModifier, ConTextRule

__all__ = ["ConTextGraph", "ConTextModifier", "ConTextRule"]
