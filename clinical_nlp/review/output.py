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

from clinical_nlp.artifacts import published
from clinical_nlp.batch.sinks.estimates_table import estimate_from_row
from clinical_nlp.batch.sinks.findings_table import finding_from_row
from clinical_nlp.batch.sinks.worklist import main_reasons
from clinical_nlp.errors import InputError
from clinical_nlp.records import (
    EstimateStatus,
    Note,
    NoteFindings,
    RiskEstimate,
    worklist_order,
)
from clinical_nlp.risk.bands import load_bands
from clinical_nlp.risk.sentences import between_es
from clinical_nlp.risk.states import load_states, state_of
from clinical_nlp.spanish import SEX_ES

FINDINGS, ESTIMATES = "findings.parquet", "estimates.parquet"
_WORKLIST_COLUMNS = (
    "Paciente",
    "Edad",
    "Sexo",
    "Estado",
    "Riesgo a 12 meses",
    "Lo habitual",
    "Intervalo",
    "Banda",
    "En frecuencias",
    "Motivos principales",
    "Qué valorar",
    "Faltaría saber",
)
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
        # Of one run, whatever the next night puts in its place.
        self.folder = published(folder)
        metadata = self._read(ESTIMATES, columns=[]).schema.metadata or {}
        try:
            self.as_of = date.fromisoformat(metadata[b"as_of"].decode())
            self.threshold = float(metadata[b"worklist_threshold"])
        except (KeyError, ValueError):
            raise self._unreadable(ESTIMATES) from None

    @cached_property
    def patients(self) -> pd.DataFrame:
        """Table of all patients of the export: written suspicions first, then by risk, then by id.

        Columns: ``patient_id``, ``age``, ``sex``, ``status`` (one of the four states),
        ``probability`` (0..1), its interval ``low`` and ``high``, ``band``, ``on_worklist``,
        ``abstention``, ``notes``, ``findings``.
        """
        table: pd.DataFrame = self._read(ESTIMATES, columns=list(_PATIENT_COLUMNS)).to_pandas()
        suspected = self._estimates("status", EstimateStatus.SUSPECTED.value)
        place = {estimate.patient_id: i for i, (estimate, _) in enumerate(suspected)}
        ordered = table.assign(place=table["patient_id"].map(place)).sort_values(
            ["place", "probability", "patient_id"],
            ascending=[True, False, True],
            ignore_index=True,
        )
        return ordered.drop(columns="place")

    def states(self) -> pd.DataFrame:
        """Return how many patients are in each of the four states, and what each means.

        Columns: ``Estado``, ``Pacientes``, ``En la lista`` and ``Qué quiere decir``.
        """
        rows = []
        for state in load_states():
            listed = self.patients.loc[self.patients["status"] == state.status.value, "on_worklist"]
            rows.append((state.name_es, len(listed), int(listed.sum()), state.meaning_es))
        return pd.DataFrame(
            rows, columns=["Estado", "Pacientes", "En la lista", "Qué quiere decir"]
        )

    def worklist(self, limit: int | None = None) -> pd.DataFrame:
        """Return the work list as a table in Spanish, ranked from 1.

        Written suspicions come first, and have no number (NaN); ``Estado`` separates them from the
        patients at risk.
        """
        bands = {band.key: band.name_es for band in load_bands()}
        rows = [
            (
                estimate.patient_id,
                row["age"],
                SEX_ES.get(row["sex"], row["sex"]),
                state_of(estimate.status).name_es,
                estimate.probability,
                estimate.usual,
                "" if estimate.probability is None else _between(estimate.interval),
                bands.get(estimate.band or "", estimate.band or ""),
                estimate.frequency or "",
                main_reasons(estimate),
                list(estimate.advice),
                list(estimate.missing),
            )
            for estimate, row in self._estimates("on_worklist", True)[:limit]
        ]
        table = pd.DataFrame(rows, columns=list(_WORKLIST_COLUMNS))
        numbers = ["Riesgo a 12 meses", "Lo habitual"]
        table[numbers] = table[numbers].astype(float)
        table.index = pd.RangeIndex(1, len(table) + 1, name="N.º")
        return table

    def not_scored(self) -> pd.DataFrame:
        """Return the reasons for missing estimates, the most frequent first.

        Columns: ``Estado``, ``Motivo``, ``Pacientes`` and ``Identificadores`` (a list, in order).
        """
        patients: dict[tuple[str, str], list[str]] = {}
        rows = self._read(
            ESTIMATES,
            columns=["patient_id", "status", "abstention"],
            filters=[("status", "!=", EstimateStatus.SCORED.value)],
        ).to_pylist()
        for row in rows:
            state = state_of(EstimateStatus(row["status"]))
            abstained = state.status is EstimateStatus.ABSTAINED
            why = (row["abstention"] or "Sin motivo declarado.") if abstained else state.meaning_es
            patients.setdefault((state.name_es, why), []).append(row["patient_id"])
        ordered = sorted(patients.items(), key=lambda item: (-len(item[1]), item[0]))
        return pd.DataFrame(
            [(state, why, len(ids), sorted(ids)) for (state, why), ids in ordered],
            columns=["Estado", "Motivo", "Pacientes", "Identificadores"],
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

    def _estimates(
        self, column: str, value: object
    ) -> list[tuple[RiskEstimate, Mapping[str, Any]]]:
        """Estimates with a value in a column, and their rows, in the order of the work list."""
        rows = self._read(ESTIMATES, filters=[(column, "=", value)]).to_pylist()
        estimates = [(estimate_from_row(row), row) for row in rows]
        return sorted(estimates, key=lambda item: worklist_order(item[0]))

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


def _between(interval: tuple[float, float] | None) -> str:
    return "sin intervalo" if interval is None else between_es(*interval)
