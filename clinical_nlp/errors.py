"""The project's errors: each has a code and a message that ends in the remedy.

Messages are shown and logged, so they never hold patient text, names or identifiers other
than a resource's reference.

======  ==========================================  =========
codes   what                                        exit code
======  ==========================================  =========
E1xx    the command line or its configuration       2
E2xx    the export (quarantined: 3; unusable: 4; cut: 9)
E3xx    the pipeline, its lexicon or its rules      5
E4xx    the registry or a model                     6
E5xx    writing the results                         7
======  ==========================================  =========
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import ClassVar


class ClinicalNlpError(Exception):
    """Base class of the project's errors.

    Parameters
    ----------
    code
        ``"E"`` and three digits; see ``docs/reference/errors.md``.
    message
        What happened and, at its end, the remedy.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code} {self.message}"


class UsageError(ClinicalNlpError):
    """E1xx: the command line or its configuration cannot be followed."""

    exit_code = 2


class InputError(ClinicalNlpError):
    """E2xx: the export cannot be read at all (a single bad resource is quarantined)."""

    exit_code = 4


class IncompleteExportError(InputError):
    """E297: the export holds far less than the one of the night before."""

    exit_code = 9


class PipelineError(ClinicalNlpError):
    """E3xx: the pipeline, its lexicon or its rules are broken."""

    exit_code = 5


class ModelError(ClinicalNlpError):
    """E4xx: the registry cannot be reached or a model cannot be used."""

    exit_code = 6


class OutputError(ClinicalNlpError):
    """E5xx: results cannot be written."""

    exit_code = 7


#: Exit code of a run that finished but put something in quarantine.
EXIT_QUARANTINED = 3

#: Exit code of a run that finished and whose results as a whole are doubtful: an empty work
#: list, or far more abstentions than the night before. It goes before EXIT_QUARANTINED.
EXIT_DOUBTFUL = 8

_OURS = ("clinical_nlp", "fhir_adapters")


def describe(error: BaseException) -> str:
    """Name an unforeseen error's type and place, never its message: it may quote a note.

    The place is the innermost line of this project, where a maintainer looks first.

    Examples
    --------
    >>> describe(KeyError("text of a note"))
    'KeyError'
    """
    kind = type(error).__name__
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        parts = Path(frame.filename).parts
        root = next((len(parts) - parts[::-1].index(p) - 1 for p in _OURS if p in parts), None)
        if root is not None:
            return f"{kind} at {'/'.join(parts[root:])}:{frame.lineno} in {frame.name}"
    return kind
