"""The work list as a table for a notebook."""

from __future__ import annotations

from collections.abc import Sequence

from clinical_nlp.review.markup import Html, band_chip, escape
from clinical_nlp.review.output import BatchOutput
from clinical_nlp.risk.bands import load_bands
from clinical_nlp.spanish import day_es, percent_es


def show_worklist(batch: BatchOutput, limit: int = 20) -> Html:
    """Show the first patients of a batch's work list, highest risk first.

    Parameters
    ----------
    batch
        The batch's output.
    limit
        Patients to show.
    """
    table = batch.worklist(limit)
    total = int(batch.patients["on_worklist"].sum())
    chips = {band.name_es: band_chip(band) for band in load_bands()}
    rows = "".join(
        f"<tr><td class='cnr-n'>{rank}</td><th scope='row'>{escape(row['Paciente'])}</th>"
        f"<td>{_who(row['Edad'], row['Sexo'])}</td>"
        f"<td class='cnr-n'><b>{percent_es(row['Riesgo a 12 meses'])}</b>"
        f"<small>{escape(row['Intervalo'])}</small></td>"
        f"<td>{chips.get(row['Banda'], '')}</td>"
        f"<td>{_items(row['Motivos principales'])}</td></tr>"
        for rank, row in zip(table.index, table.to_dict("records"), strict=True)
    )
    if not rows:
        return Html("<p>Ningún paciente alcanza el umbral de la lista de trabajo.</p>")
    return Html(
        f"<table><caption>{len(table)} de {total} pacientes con riesgo a 12 meses de al menos "
        f"{percent_es(batch.threshold)}, a {day_es(batch.as_of)}. Resultados preliminares: "
        "revíselos antes de actuar. Bajo cada "
        "riesgo, su intervalo: cuánto cambiaría con otros pacientes de entrenamiento.</caption>"
        "<thead><tr><th class='cnr-n' scope='col'>N.º</th>"
        "<th scope='col'>Paciente</th><th scope='col'>Edad y sexo</th>"
        "<th class='cnr-n' scope='col'>Riesgo</th><th scope='col'>Banda</th>"
        f"<th scope='col'>Motivos principales</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def show_not_scored(batch: BatchOutput, limit: int = 5) -> Html:
    """Show the reasons for missing estimates of a batch, the most frequent first.

    Parameters
    ----------
    batch
        The batch's output.
    limit
        Most ids of a reason; the rest are counted.
    """
    table = batch.not_scored()
    if table.empty:
        return Html("<p>Todos los pacientes tienen estimación.</p>")
    rows = "".join(
        f"<tr><th scope='row'>{escape(row['Motivo'])}</th>"
        f"<td class='cnr-n'>{row['Pacientes']}</td>"
        f"<td>{_ids(row['Identificadores'], limit)}</td></tr>"
        for row in table.to_dict("records")
    )
    return Html(
        f"<table class='cnr-plain-table'><caption>{int(table['Pacientes'].sum())} de "
        f"{len(batch.patients)} pacientes no tienen estimación.</caption><thead><tr>"
        "<th scope='col'>Motivo</th><th class='cnr-n' scope='col'>Pacientes</th>"
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
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>"
