"""Reads the results of a batch for review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from clinical_nlp.batch.sinks.estimates_table import estimate_from_row
from clinical_nlp.batch.sinks.findings_table import finding_from_row
from clinical_nlp.errors import InputError
from clinical_nlp.records import EstimateStatus, Note, NoteFindings, RiskEstimate
from clinical_nlp.risk.bands import load_bands
from clinical_nlp.risk.sentences import between_es
from clinical_nlp.spanish import SEX_ES

FINDINGS, ESTIMATES = "findings.parquet", "estimates.parquet"
_DIAGNOSED = "Insuficiencia cardíaca ya diagnosticada: no se estima un diagnóstico nuevo."
#: Reasons shown in a list.
MAIN_REASONS = 3
_PATIENT_COLUMNS = (
    "patient_id",
    "age",
    "sex",
    "status",
    "probability",
    "low",
    "high",
    "band",
    "on_worklist",
    "abstention",
    "notes",
    "findings",
)


@dataclass(frozen=True, slots=True)
class ChangedNote:
    """A note whose text has changed since the batch: its findings no longer apply."""

    key: str
    findings: int


def open_batch(folder: Path | str) -> BatchOutput:
    """Open a folder that ``clinical-nlp batch`` wrote.

    Parameters
    ----------
    folder
        The batch's ``--out``.

    Raises
    ------
    clinical_nlp.errors.InputError
        E251: the folder holds no finished batch, or its tables cannot be read.
    """
    return BatchOutput(Path(folder))


class BatchOutput:
    """A batch's results, read from its tables on demand; :func:`open_batch` opens them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        metadata = self._read(ESTIMATES, columns=[]).schema.metadata or {}
        try:
            self.as_of = date.fromisoformat(metadata[b"as_of"].decode())
            self.threshold = float(metadata[b"worklist_threshold"])
        except (KeyError, ValueError):
            raise self._unreadable(ESTIMATES) from None

    @cached_property
    def patients(self) -> pd.DataFrame:
        """Table of all patients of the export, highest risk first, then by id.

        Columns: ``patient_id``, ``age``, ``sex``, ``status``, ``probability`` (0..1), its
        interval ``low`` and ``high``, ``band``, ``on_worklist``, ``abstention``, ``notes``,
        ``findings``.
        """
        table: pd.DataFrame = self._read(ESTIMATES, columns=list(_PATIENT_COLUMNS)).to_pandas()
        return table.sort_values(
            ["probability", "patient_id"], ascending=[False, True], ignore_index=True
        )

    def worklist(self, limit: int | None = None) -> pd.DataFrame:
        """Return the work list as a table in Spanish, ranked from 1."""
        rows = self._read(ESTIMATES, filters=[("on_worklist", "=", True)]).to_pylist()
        rows.sort(key=lambda row: (-row["probability"], row["patient_id"]))
        bands = {band.key: band.name_es for band in load_bands()}
        table = pd.DataFrame(
            [
                {
                    "Paciente": row["patient_id"],
                    "Edad": row["age"],
                    "Sexo": SEX_ES.get(row["sex"], row["sex"]),
                    "Riesgo a 12 meses": row["probability"],
                    "Intervalo": _between(row["low"], row["high"]),
                    "Banda": bands.get(row["band"], row["band"]),
                    "Motivos principales": [
                        reason["text"] for reason in row["reasons"] if reason["contribution"] > 0
                    ][:MAIN_REASONS],
                    "Faltaría saber": list(row["missing"]),
                }
                for row in rows[:limit]
            ],
            columns=[
                "Paciente",
                "Edad",
                "Sexo",
                "Riesgo a 12 meses",
                "Intervalo",
                "Banda",
                "Motivos principales",
                "Faltaría saber",
            ],
        )
        table.index = pd.RangeIndex(1, len(table) + 1, name="N.º")
        return table

    def not_scored(self) -> pd.DataFrame:
        """Return the reasons for missing estimates, the most frequent first.

        Columns: ``Motivo``, ``Pacientes`` and ``Identificadores`` (a list, in order).
        """
        patients: dict[str, list[str]] = {}
        rows = self._read(
            ESTIMATES,
            columns=["patient_id", "status", "abstention"],
            filters=[("status", "!=", EstimateStatus.SCORED.value)],
        ).to_pylist()
        for row in rows:
            diagnosed = row["status"] == EstimateStatus.DIAGNOSED.value
            reason = _DIAGNOSED if diagnosed else row["abstention"] or "Sin motivo declarado."
            patients.setdefault(reason, []).append(row["patient_id"])
        ordered = sorted(patients.items(), key=lambda item: (-len(item[1]), item[0]))
        return pd.DataFrame(
            [(reason, len(ids), sorted(ids)) for reason, ids in ordered],
            columns=["Motivo", "Pacientes", "Identificadores"],
        )

    def estimate(self, patient_id: str) -> RiskEstimate:
        """Return a patient's estimate with its reasons and evidence.

        Raises
        ------
        clinical_nlp.errors.InputError
            E252: the batch holds no such patient.
        """
        rows = self._read(ESTIMATES, filters=[("patient_id", "=", patient_id)]).to_pylist()
        if not rows:
            raise InputError(
                "E252", "no patient of this batch has that id; take one from BatchOutput.patients."
            )
        return estimate_from_row(rows[0])

    def findings(self, patient_id: str) -> pd.DataFrame:
        """Return a patient's findings: the rows of ``findings.parquet``, in note order."""
        rows = self._read(FINDINGS, filters=[("patient_id", "=", patient_id)])
        table: pd.DataFrame = rows.to_pandas()
        return table

    def on_notes(
        self, patient_id: str, notes: Sequence[Note]
    ) -> tuple[tuple[NoteFindings, ...], tuple[ChangedNote, ...]]:
        """Attach a patient's findings to their notes.

        Parameters
        ----------
        patient_id
            The patient.
        notes
            Their notes, from the export.

        Returns
        -------
        on_notes, changed
            Every note with its findings. A note whose SHA-256 differs from that in the
            batch has none, and is in ``changed``.
        """
        rows = self._read(FINDINGS, filters=[("patient_id", "=", patient_id)]).to_pylist()
        by_note: dict[str, list[Mapping[str, Any]]] = {}
        for row in rows:
            by_note.setdefault(row["note"], []).append(row)
        on_notes, changed = [], []
        for note in notes:
            rows_of_note = by_note.pop(note.key, [])
            valid = [row for row in rows_of_note if row["note_sha256"] == note.sha256]
            if len(valid) < len(rows_of_note):
                changed.append(ChangedNote(note.key, len(rows_of_note) - len(valid)))
            on_notes.append(NoteFindings(note, tuple(finding_from_row(row) for row in valid)))
        # Notes that the export no longer holds.
        changed.extend(ChangedNote(key, len(rows)) for key, rows in sorted(by_note.items()))
        return tuple(on_notes), tuple(changed)

    def _read(
        self,
        name: str,
        columns: list[str] | None = None,
        filters: list[tuple[str, str, object]] | None = None,
    ) -> pa.Table:
        try:
            return pq.read_table(self.folder / name, columns=columns, filters=filters)
        except (OSError, pa.ArrowException):
            raise self._unreadable(name) from None

    def _unreadable(self, name: str) -> InputError:
        return InputError(
            "E251",
            f"'{self.folder / name}' cannot be read as a batch's result; name the folder given "
            "to 'clinical-nlp batch --out', after a run that ended.",
        )


def _between(low: float | None, high: float | None) -> str:
    return "sin intervalo" if low is None or high is None else between_es(low, high)
