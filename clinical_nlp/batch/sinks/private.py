"""Files that only their owner may read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from clinical_nlp.errors import OutputError


def open_private(path: Path) -> BinaryIO:
    """Open a file for writing, with mode 0600 whatever the umask is.

    Raises
    ------
    clinical_nlp.errors.OutputError
        E511: the file cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        os.fchmod(descriptor, 0o600)
    except OSError as error:
        raise cannot_write(path, error) from None
    return os.fdopen(descriptor, "w+b")


def cannot_write(path: Path, error: OSError) -> OutputError:
    """Return E511 for a file that the system refuses to write."""
    return OutputError(
        "E511",
        f"'{path.name}' cannot be written ({error.strerror or type(error).__name__}); "
        "see that the disk has room and that the folder is yours, then run again.",
    )
