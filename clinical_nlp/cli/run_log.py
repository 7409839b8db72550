"""A run's log for machines: JSON lines of a run id, stages, counts and codes.

Written here and not through ``logging``: what libraries log may quote a note, and of a run these
few events are all that monitoring can use.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import IO, TypeAlias
from uuid import uuid4

import typer

from clinical_nlp.artifacts import output_errors
from clinical_nlp.errors import ClinicalNlpError, describe

#: Numbers, codes and names of versions: never a text of the export.
Value: TypeAlias = str | int | float | list[str] | Mapping[str, int] | Mapping[str, float] | None


class RunLog:
    """Writes one JSON object an event.

    Parameters
    ----------
    file
        Where lines go; ``None`` discards them.
    command
        Named in every line, with an id of the run.
    """

    def __init__(self, file: IO[str] | None, command: str) -> None:
        self._file = file
        self._same = {"run": uuid4().hex[:12], "command": command}

    def write(self, event: str, **values: Value) -> None:
        """Write an event with its time (UTC), at once: a kill loses no line."""
        if self._file is not None:
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            line = {"time": now, **self._same, "event": event, **values}
            with suppress(OSError):  # a disk that is full here must not end the night
                self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
                self._file.flush()

    def stage(self, stage: str, total: int) -> None:
        """A stage begins; ``total`` in bytes for the scan, in patients afterwards."""
        self.write("stage", stage=stage, total=total)


@contextmanager
def open_run_log(path: Path | None, command: str) -> Iterator[RunLog]:
    """Log how a block begins and ends: its exit code, and the code of its error.

    Parameters
    ----------
    path
        File to append to, made with mode 0600; ``-`` is standard error; ``None`` is no log.

    Raises
    ------
    clinical_nlp.errors.OutputError
        E511: the file cannot be written.
    """
    began = perf_counter()
    with _open(path) as file:
        log = RunLog(file, command)
        code, error = 0, None
        log.write("begin", pid=os.getpid())
        try:
            yield log
        except typer.Exit as end:
            code = end.exit_code
            raise
        except ClinicalNlpError as failure:
            code, error = failure.exit_code, failure.code
            raise
        except SystemExit as end:  # SIGTERM
            code = end.code if isinstance(end.code, int) else 1
            raise
        except BaseException as failure:
            code, error = 70, f"E999 {describe(failure)}"
            raise
        finally:
            log.write("end", exit_code=code, error=error, seconds=round(perf_counter() - began, 3))


@contextmanager
def _open(path: Path | None) -> Iterator[IO[str] | None]:
    if path is None:
        yield None
    elif str(path) == "-":
        yield sys.stderr
    else:
        with output_errors(path.name):
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            file = os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8")
        with file:
            yield file
