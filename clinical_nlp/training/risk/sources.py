"""Where the patients of a cohort come from: exports, or the simulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Protocol

from spacy.language import Language

from clinical_nlp.errors import UsageError
from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.records import CodedEvent, PatientRecord, SourceSummary
from clinical_nlp.simulation import (
    AnyParameters,
    draw_service,
    load_parameters,
    simulate_patient,
)
from clinical_nlp.training.risk.cohort import sampling_weight
from clinical_nlp.training.risk.data_end import find_data_end
from clinical_nlp.training.risk.dataset import Cohort, read_cohort
from clinical_nlp.training.risk.recipe import CohortRecipe

#: Who the patients of a simulated cohort are, for the card and the spec.
SIMULATED = "patients simulated by this package; not for clinical use"


class PatientSource(Protocol):
    """An export of patients. Used once: ``scan``, then ``records``."""

    def scan(self, progress: Callable[[int], None]) -> SourceSummary:
        """Read everything once; ``progress`` takes the bytes read since its last call."""
        ...

    def records(self) -> Iterator[PatientRecord]:
        """Yield the patients in order of id."""
        ...

    def coded_events(self) -> Iterator[tuple[str, CodedEvent]]:
        """Yield every coded event with the id of its patient."""
        ...

    def places(self) -> Mapping[str, int]:
        """Place of each patient in the export, by id: the order in which they stand there."""
        ...


@dataclass(frozen=True, slots=True)
class PatientStream:
    """Patients to read one at a time.

    Parameters
    ----------
    records
        In order of id, export by export.
    days
        First and last day of their data.
    patients
        Their number.
    places
        Place of each patient in the export, by id.
    coded_events
        Yields every coded event with its patient's id, before any record is read.
    """

    records: Iterator[PatientRecord]
    days: tuple[date, date]
    patients: int
    places: Mapping[str, int] = field(default_factory=dict)
    coded_events: Callable[[], Iterator[tuple[str, CodedEvent]]] = lambda: iter(())


def scan_sources(sources: Sequence[PatientSource], recipe: CohortRecipe) -> PatientStream:
    """Scan exports; their patients are then read as one stream.

    The last day of the data is the recipe's, else the day on which the first of the exports
    thins out (``data_end.py``): past it no diagnosis would be seen. The first is the recipe's,
    else ``record_years`` before the last.

    Raises
    ------
    UsageError
        E123: neither the recipe nor an export has a last day.
    """
    summaries = [source.scan(lambda read: None) for source in sources]
    ends = [find_data_end(s.days) for s in summaries]
    last = recipe.last_day or min((day for day in ends if day is not None), default=None)
    if last is None and not any(summary.patients for summary in summaries):
        raise UsageError(
            "E123",
            "the export holds no Patient that can be used, so there is nobody to learn from: "
            "export the type Patient, too",
        )
    if last is None:
        raise UsageError(
            "E123",
            "the export holds no dated resource, so there is no follow-up to learn from: "
            "give cohort.last_day in the recipe, or an export with dates",
        )
    first = recipe.first_day or last - timedelta(days=365 * recipe.record_years)
    patients = sum(summary.patients for summary in summaries)
    return PatientStream(
        _records(sources), (first, last), patients, _places(sources), lambda: _events(sources)
    )


def _events(sources: Sequence[PatientSource]) -> Iterator[tuple[str, CodedEvent]]:
    for number, source in enumerate(sources):
        for patient, event in source.coded_events():
            yield _id_in(sources, number, patient), event


def _records(sources: Sequence[PatientSource]) -> Iterator[PatientRecord]:
    for number, source in enumerate(sources):
        for record in source.records():
            yield replace(record, id=_id_in(sources, number, record.id))


def _places(sources: Sequence[PatientSource]) -> dict[str, int]:
    return {
        _id_in(sources, number, patient): place
        for number, source in enumerate(sources)
        for patient, place in source.places().items()
    }


def _id_in(sources: Sequence[PatientSource], number: int, patient: str) -> str:
    """A patient's id; ids of two exports may be the same without being the same person."""
    return patient if len(sources) == 1 else f"{number}/{patient}"


def simulated_cohort(
    recipe: CohortRecipe, nlp: Language, progress: Callable[[int], None] = lambda patients: None
) -> Cohort:
    """Simulate the recipe's patients and read their notes.

    The simulation runs to its own end, a year past the day that demonstration exports show,
    so that the last outcomes are known.
    """
    shipped = load_parameters()
    services = (draw_service(n).parameters() for n in range(1, recipe.simulated_services + 1))
    records = simulated_records(recipe, [shipped, *services])
    days = (shipped.start, shipped.end)
    return read_cohort(records, nlp, load_lexicon(), days, recipe, progress)


def simulated_records(
    recipe: CohortRecipe, services: Sequence[AnyParameters]
) -> Iterator[PatientRecord]:
    """Simulate every patient, with notes where they will be read; services take turns.

    The codes decide whose notes are read, and writing notes is most of the work.
    """
    seed = recipe.simulation_seed
    settings = [(p.as_of(p.end).without_notes(), p.as_of(p.end)) for p in services]
    for number in range(recipe.simulated_patients):
        without_notes, parameters = settings[number % len(settings)]
        record = simulate_patient(number, seed, without_notes).record
        if sampling_weight(record, parameters.start, recipe):
            record = simulate_patient(number, seed, parameters).record
        yield record
