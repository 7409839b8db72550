"""MLflow, its database layer and its HTTP client speak at the level of debugging.

They log every retry as a warning, with tracebacks and database URLs. What comes of the retries
is said by this package's own errors.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

_LIBRARIES = ("mlflow", "alembic", "sqlalchemy", "urllib3")
_USER = re.compile(r"//[^/@\s]*@")

_log = logging.getLogger(__name__)


class _ToDebug(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Log a library's message again, as one line without users and passwords."""
        message = _USER.sub("//", " ".join(record.getMessage().split()))
        _log.debug("%s: %s", record.name, message)


@contextmanager
def libraries_at_debug() -> Iterator[None]:
    """Log what the libraries log as debugging messages of this package.

    MLflow must have been imported: importing it sets its loggers up.
    """
    loggers = [logging.getLogger(name) for name in _LIBRARIES]
    before = [(logger.handlers, logger.propagate) for logger in loggers]
    handler = _ToDebug()
    for logger in loggers:
        logger.handlers, logger.propagate = [handler], False
    try:
        yield
    finally:
        for logger, (handlers, propagate) in zip(loggers, before, strict=True):
            logger.handlers, logger.propagate = handlers, propagate
