"""The work list and the states of all patients as tables for a notebook."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, TypeAlias

import pandas as pd

from clinical_nlp.records import EstimateStatus
from clinical_nlp.review.markup import Html, band_chip, escape
from clinical_nlp.review.output import BatchOutput
from clinical_nlp.risk.bands import load_bands
from clinical_nlp.risk.states import state_of
from clinical_nlp.spanish import day_es, percent_es

_Row: TypeAlias = Mapping[Hashable, Any]


def show_worklist(batch: BatchOutput, limit: int = 20) -> Html:
    """Show a batch's work list: written suspicions, without a number, then who is at risk.

    Parameters
    ----------
    batch
        The batch's output.
    limit
        Most patients of each of the two tables.
    """
    table = batch.worklist()
    is_suspected = table["Estado"] == state_of(EstimateStatus.SUSPECTED).name_es
    suspected, at_risk = table[is_suspected], table[~is_suspected]
    parts = [
        _suspected(suspected, limit) if len(suspected) else "",
        _at_risk(batch, at_risk, limit)
        if len(at_risk)
        else "<p>Ningún paciente alcanza el umbral de riesgo de la lista de trabajo.</p>",
    ]
    return Html("".join(parts))


def _suspected(table: pd.DataFrame, limit: int) -> str:
    shown = table.head(limit)
    rows = "".join(
        f"<tr>{_patient(rank, row)}<td>{_items(row['Motivos principales'])}</td>"
        f"<td>{_items(row['Qué valorar'] or row['Faltaría saber'])}</td></tr>"
        for rank, row in zip(shown.index, shown.to_dict("records"), strict=True)
    )
    return (
        f"<h4 class='cnr-part'>{escape(state_of(EstimateStatus.SUSPECTED).heading_es)}</h4>"
        f"<table class='cnr-suspected'><caption>{len(shown)} de {len(table)} pacientes. Lo dice "
        "una nota o un análisis: no es una predicción y no lleva probabilidad. La sospecha más "
        f"reciente, primero.</caption><thead><tr>{_PATIENT_HEADS}<th scope='col'>Qué consta</th>"
        f"<th scope='col'>Qué valorar</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _at_risk(batch: BatchOutput, table: pd.DataFrame, limit: int) -> str:
    shown = table.head(limit)
    chips = {band.name_es: band_chip(band) for band in load_bands()}
    under = "su intervalo: cuánto cambiaría con otros pacientes de entrenamiento"
    if shown["Lo habitual"].notna().any():
        under += "; y lo habitual a esa edad y sexo"
    rows = "".join(
        f"<tr>{_patient(rank, row)}"
        f"<td class='cnr-n'><b>{percent_es(row['Riesgo a 12 meses'])}</b>"
        f"<small>{escape(row['Intervalo'])}</small>{_usual(row['Lo habitual'])}</td>"
        f"<td>{chips.get(row['Banda'], '')}</td>"
        f"<td>{_why(row)}</td></tr>"
        for rank, row in zip(shown.index, shown.to_dict("records"), strict=True)
    )
    return (
        f"<h4 class='cnr-part'>{escape(state_of(EstimateStatus.SCORED).heading_es)}</h4>"
        f"<table><caption>{len(shown)} de {len(table)} pacientes con riesgo a 12 meses de al "
        f"menos {percent_es(batch.threshold)}, a {day_es(batch.as_of)}. Resultados preliminares: "
        f"revíselos antes de actuar. Bajo cada riesgo, {under}.</caption>"
        f"<thead><tr>{_PATIENT_HEADS}<th class='cnr-n' scope='col'>Riesgo</th>"
        "<th scope='col'>Banda</th><th scope='col'>Motivos principales y qué valorar</th></tr>"
        f"</thead><tbody>{rows}</tbody></table>"
    )


_PATIENT_HEADS = (
    "<th class='cnr-n' scope='col'>N.º</th><th scope='col'>Paciente</th>"
    "<th scope='col'>Edad y sexo</th>"
)


def _patient(rank: object, row: _Row) -> str:
    return (
        f"<td class='cnr-n'>{rank}</td><th scope='row'>{escape(row['Paciente'])}</th>"
        f"<td>{_who(row['Edad'], row['Sexo'])}</td>"
    )


def _usual(usual: float) -> str:
    return "" if pd.isna(usual) else f"<small>habitual: {percent_es(usual)}</small>"


def _why(row: _Row) -> str:
    frequency = f"<p>{escape(row['En frecuencias'])}</p>" if row["En frecuencias"] else ""
    advice = "".join(f"<p class='cnr-advice'>→ {escape(text)}</p>" for text in row["Qué valorar"])
    return f"{frequency}{_items(row['Motivos principales'])}{advice}"


def show_states(batch: BatchOutput) -> Html:
    """Show how many patients are in each of the four states, and what each state means.

    Parameters
    ----------
    batch
        The batch's output.
    """
    rows = "".join(
        f"<tr><th scope='row'>{escape(row['Estado'])}</th>"
        f"<td class='cnr-n'>{row['Pacientes']}</td><td class='cnr-n'>{row['En la lista']}</td>"
        f"<td>{escape(row['Qué quiere decir'])}</td></tr>"
        for row in batch.states().to_dict("records")
    )
    return Html(
        f"<table class='cnr-plain-table'><caption>{len(batch.patients)} pacientes, cada uno en un "
        "solo estado.</caption><thead><tr><th scope='col'>Estado</th>"
        "<th class='cnr-n' scope='col'>Pacientes</th><th class='cnr-n' scope='col'>En la lista</th>"
        f"<th scope='col'>Qué quiere decir</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def show_not_scored(batch: BatchOutput, limit: int = 5) -> Html:
    """Show why patients of a batch have no probability, the most frequent first.

    Parameters
    ----------
    batch
        The batch's output.
    limit
        Most ids of a reason; the rest are counted.
    """
    table = batch.not_scored()
    if table.empty:
        return Html("<p>Todos los pacientes llevan una probabilidad.</p>")
    rows = "".join(
        f"<tr><th scope='row'>{escape(row['Estado'])}</th><td>{escape(row['Motivo'])}</td>"
        f"<td class='cnr-n'>{row['Pacientes']}</td>"
        f"<td>{_ids(row['Identificadores'], limit)}</td></tr>"
        for row in table.to_dict("records")
    )
    return Html(
        f"<table class='cnr-plain-table'><caption>{int(table['Pacientes'].sum())} de "
        f"{len(batch.patients)} pacientes no llevan ninguna probabilidad.</caption><thead><tr>"
        "<th scope='col'>Estado</th><th scope='col'>Motivo</th>"
        "<th class='cnr-n' scope='col'>Pacientes</th>"
        f"<th scope='col'>Quiénes</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _ids(ids: Sequence[str], limit: int) -> str:
    shown = ", ".join(f"<span class='cnr-id'>{escape(one)}</span>" for one in ids[:limit])
    more = f" y {len(ids) - limit} más" if len(ids) > limit else ""
    return f"<small>{shown}{more}</small>"


def _who(age: float | None, sex: str) -> str:
    # pandas turns a column with a gap into floats, and the gap into NaN.
    return escape(sex if age is None or age != age else f"{int(age)} años, {sex}")


def _items(texts: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<ul>{items}</ul>" if items else ""
