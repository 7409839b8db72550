"""One patient's or one note's failure costs that one only, and is said.

An error that nobody foresaw, with one patient of a million, must not cost the night. What is
written of it is its type and place, never its message, which may quote a note.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from clinical_nlp.artifacts import open_private, output_errors
from clinical_nlp.batch.extraction import NoteFailure
from clinical_nlp.batch.ports import ResultSink, RiskEstimator
from clinical_nlp.batch.run_record import RunOutcome
from clinical_nlp.batch.sinks.report import write_report
from clinical_nlp.errors import ClinicalNlpError, OutputError, describe
from clinical_nlp.records import (
    Concept,
    NoteFindings,
    PatientRecord,
    PatientResult,
    Problem,
    RiskEstimate,
)
from clinical_nlp.risk.bands import Bands

_NOTE = {
    "E301": "the pipeline stopped at this note ({what}), so it counts as having no findings;"
    " report it to the maintainers with the note's style, not its text.",
    "E304": "the process that read this note was ended by the system ({what}; signal 9 mostly"
    " means that memory ran out), also when it read nothing else, so the note counts as having"
    " no findings; look at its size, give the machine more memory, or lower --max-note-mb.",
}
_NO_REPORT = """<!doctype html><html lang="es"><meta charset="utf-8"><title>Sin informe</title>
<p>No se pudo componer el informe de esta ejecución (E506). Los demás resultados están completos:
los recuentos, en run.json; lo que no se pudo usar, en quarantine.ndjson.</p></html>
"""
#: A resource that would not be valid FHIR: the fault of one patient's result.
_INVALID_FHIR = "E521"


def note_problem(source: str, failure: NoteFailure) -> Problem:
    """Return the quarantine's row for a note that could not be read."""
    sentence = _NOTE[failure.code].format(what=failure.what)
    return Problem(failure.code, sentence, resource=source)


def killed_workers(ended: Sequence[str]) -> str:
    """Return the warning of a run in which the system ended processes."""
    return (
        f"E307 processes that read notes were ended by the system ({', '.join(ended)}), most"
        " likely because memory ran out. Their notes were read again with fewer processes;"
        " those that could not be read are in quarantine (E304). Lower --processes, or give the"
        " machine more memory (about 1 GB a process)."
    )


def estimate_each(
    estimator: RiskEstimator,
    patients: Sequence[tuple[PatientRecord, tuple[NoteFindings, ...]]],
    day: date,
) -> list[RiskEstimate | Problem]:
    """Estimate patients together; where that fails, one by one.

    Returns
    -------
    list
        Per patient, the estimate or the quarantine's row.

    Raises
    ------
    clinical_nlp.errors.ClinicalNlpError
        The model itself cannot be used.
    """
    try:
        return list(estimator.estimate(patients, day))
    except ClinicalNlpError:
        raise
    except Exception:  # noqa: BLE001 - read one by one to find which it was
        return [_estimate_one(estimator, patient, day) for patient in patients]


def _estimate_one(
    estimator: RiskEstimator,
    patient: tuple[PatientRecord, tuple[NoteFindings, ...]],
    day: date,
) -> RiskEstimate | Problem:
    try:
        return estimator.estimate([patient], day)[0]
    except ClinicalNlpError:
        raise
    except Exception as error:  # noqa: BLE001 - the patient goes to quarantine
        return Problem(
            "E303",
            f"the patient could not be estimated ({describe(error)}) and is in no output;"
            " report this line to the maintainers, with what is unusual about the record.",
            resource=f"Patient/{patient[0].id}",
        )


def write_each(
    sinks: Sequence[ResultSink], result: PatientResult, keep: bool = False
) -> tuple[list[bytes], list[Problem]]:
    """Write a result to every sink.

    A sink takes a patient as a whole or not at all.

    Parameters
    ----------
    keep
        Return what was written.

    Returns
    -------
    list of bytes
        What was written, for :func:`append_each`: one a sink where nothing failed.
    list of Problem
        A row for each sink that could not take it.

    Raises
    ------
    clinical_nlp.errors.OutputError
        The disk or the folder is at fault.
    """
    parts, problems = [], []
    for sink in sinks:
        try:
            rendered = sink.render(result)
            part = sink.dump(rendered) if keep else b""
            sink.append(rendered)
            parts.append(part)
        except Exception as error:  # the patient is missing from this output
            if isinstance(error, OSError) or (
                isinstance(error, ClinicalNlpError) and error.code != _INVALID_FHIR
            ):
                raise
            problems.append(_unwritten(sink, result.record.id, error))
    return parts, problems


def append_each(sinks: Sequence[ResultSink], parts: Sequence[bytes]) -> None:
    """Append to every sink what :func:`write_each` returned in an earlier run."""
    for sink, part in zip(sinks, parts, strict=True):
        sink.append(sink.load(part))


def report_or_notice(
    path: Path, run: RunOutcome, concepts: Mapping[str, Concept], bands: Bands
) -> Problem | None:
    """Write the report; where it cannot be made, a page that says so.

    Returns
    -------
    Problem or None
        The quarantine's row, where it could not be made: the other results are complete.

    Raises
    ------
    clinical_nlp.errors.OutputError
        The disk or the folder is at fault.
    """
    try:
        write_report(path, run, concepts, bands)
    except ClinicalNlpError:
        raise
    except Exception as error:  # noqa: BLE001 - the night's results are published without it
        with output_errors(path.name), open_private(path) as file:
            file.write(_NO_REPORT.encode())
        return Problem(
            "E506",
            f"the report could not be made ({describe(error)}); the other results are complete;"
            " report this line to the maintainers.",
        )
    return None


def _unwritten(sink: ResultSink, patient: str, error: Exception) -> Problem:
    what = error.message if isinstance(error, OutputError) else describe(error)
    return Problem(
        "E505",
        f"the patient's result could not be written to {type(sink).__name__} ({what}) and is"
        " missing there; report this line to the maintainers.",
        resource=f"Patient/{patient}",
    )
