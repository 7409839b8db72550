"""Collects the report's numbers and fills its template.

The page is one file: style and drawings are inside, and its content security policy forbids
fetching anything. It is in Spanish, for the people who run and read the batch. It holds
counts, never a patient's text or id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib import resources
from pathlib import Path

from jinja2 import Environment, FunctionLoader, StrictUndefined

from clinical_nlp import spanish
from clinical_nlp.artifacts import open_private, output_errors, read_toml
from clinical_nlp.batch.run_record import RunOutcome
from clinical_nlp.batch.sinks.report import histogram
from clinical_nlp.batch.statistics import RunStatistics
from clinical_nlp.records import FLAGS, Concept
from clinical_nlp.risk.bands import Bands, load_bands
from clinical_nlp.risk.capacity import LIST_SIZE, monthly_load
from clinical_nlp.risk.states import load_states

_PACKAGE = "clinical_nlp.batch.sinks.report"
#: Number of concepts on the page; ``findings.parquet`` holds all.
TOP_CONCEPTS = 20


@dataclass(frozen=True, slots=True)
class ConceptRow:
    """One concept's findings by stance."""

    name: str
    affirmed: int
    negated: int
    other: int

    @property
    def total(self) -> int:
        """Findings of the concept."""
        return self.affirmed + self.negated + self.other


def write_report(
    path: Path, run: RunOutcome, concepts: Mapping[str, Concept], bands: Bands | None = None
) -> None:
    """Write the page of one run.

    Parameters
    ----------
    path
        File to write (``DIR/report.html``), mode 0600.
    concepts
        The lexicon's concepts by key, for their Spanish names.
    bands
        The published bands; the shipped ones by default.

    Raises
    ------
    clinical_nlp.errors.OutputError
        E511: the file cannot be written.
    """
    page = render(run, concepts, bands or load_bands())
    with output_errors(path.name), open_private(path) as file:
        file.write(page.encode("utf-8"))


def render(run: RunOutcome, concepts: Mapping[str, Concept], bands: Bands) -> str:
    """Return the page as HTML."""
    statistics = run.statistics
    rows = _concept_rows(statistics, concepts)
    types = sorted(run.source.types.items(), key=lambda item: (-item[1].seen, item[0]))
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            s=statistics,
            run=run,
            context=run.context,
            words=read_toml(_PACKAGE, "phrases.toml"),
            types=types,
            adds_up=run.source.adds_up(),
            # Not the sum over codes: some codes only warn, and the resource was used.
            quarantined=sum(t.quarantined for _, t in types),
            codes=sorted(run.quarantined.items(), key=lambda item: (-item[1], item[0])),
            flags=FLAGS,
            bands=bands,
            states=load_states(),
            list_size=LIST_SIZE,
            monthly=monthly_load(statistics.patients["worklist"], statistics.patients["seen"]),
            at_risk=statistics.patients["worklist"] - statistics.patients["suspected"],
            top=rows[:TOP_CONCEPTS],
            said=len(rows),
            chart=histogram.draw(
                statistics.edges,
                statistics.histogram,
                bands,
                run.context.worklist_threshold,
            ),
            seconds=sum(run.seconds.values()),
            abstentions=sorted(
                statistics.abstentions.items(), key=lambda item: (-item[1], item[0])
            ),
            away=run.resolution.get("source", "registry") != "registry",
            shipped=run.resolution.get("source") == "shipped",
        )
    )


def _concept_rows(
    statistics: RunStatistics, concepts: Mapping[str, Concept]
) -> tuple[ConceptRow, ...]:
    """Count findings by concept and stance, most frequent first, without measurements.

    Measurements are always affirmed, so a bar of stances would say nothing of them.
    """
    rows = [
        ConceptRow(
            concepts[key].name_es if key in concepts else key,
            counts["affirmed"],
            counts["negated"],
            counts["other"],
        )
        for key, counts in sorted(statistics.concepts.items())
        if key not in concepts or concepts[key].category != "measurement"
    ]
    return tuple(sorted(rows, key=lambda row: (-row.total, row.name)))


def _read(name: str) -> str:
    return resources.files(_PACKAGE).joinpath(name).read_text("utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_read),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        count=spanish.count_es,
        decimal=partial(spanish.number_es, group_from=1_000),
        share=spanish.share_es,
        probability=partial(spanish.percent_es, decimals=2, trim=True),
        day=spanish.long_day_es,
        duration=spanish.duration_es,
        energy=spanish.energy_es,
        moment=spanish.timestamp_es,
    )
    return environment
