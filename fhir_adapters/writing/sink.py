"""Write one patient's result after another as FHIR R4 NDJSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from clinical_nlp.errors import OutputError
from clinical_nlp.records import (
    Concept,
    Evidence,
    PatientResult,
    RiskEstimate,
    RunContext,
    is_on_worklist,
)
from fhir_adapters.writing.ai_transparency import label, model_card
from fhir_adapters.writing.assessment import review_task, risk_assessment
from fhir_adapters.writing.check import Checker
from fhir_adapters.writing.definitions import code_systems
from fhir_adapters.writing.device import model_device, reader_device
from fhir_adapters.writing.elements import Json, Resource, dumps, reference
from fhir_adapters.writing.extensions import extensions
from fhir_adapters.writing.grouping import Statement, statements
from fhir_adapters.writing.ndjson import TYPES, NdjsonFolder
from fhir_adapters.writing.observation import (
    family_history,
    is_family_history,
    is_observed,
    observation,
)
from fhir_adapters.writing.provenance import estimate_provenance, reading_provenance
from fhir_adapters.writing.scale import Band, Scale
from fhir_adapters.writing.source_note import SourceNote
from fhir_adapters.writing.urls import DEFAULT_BASE, OBSERVATION_VALUE, CanonicalUrls
from fhir_adapters.writing.vocabulary import RunElements, load_vocabulary

#: Reference to the resource of a finding, by note key, concept, start and end.
#: Type and JSON of each resource.
Lines = list[tuple[str, str]]
FindingReferences = dict[tuple[str, str, int, int], Json]


class FhirSink:
    """Writes patients' results to a folder of FHIR R4 (4.0.1) NDJSON files.

    A :class:`clinical_nlp.batch.ports.ResultSink`. Streams: one patient is in memory at a
    time, and patients are written in the order they come. The same results, run
    context and definitions give the same bytes.

    Parameters
    ----------
    folder
        Where ``Observation.ndjson`` and the others go (``DIR/fhir``); made private.
    context
        Day, versions, model and threshold of the run.
    concepts
        The catalogue, by concept key.
    bands
        The published risk bands.
    base
        URL under which this installation publishes its own definitions.
    ai_system
        Code system URI of ``AIAST`` in ``meta.security``: ``OBSERVATION_VALUE_OID`` for a
        server that refuses what R4's frozen copy of the system lacks.
    card
        The model's card in Markdown; without one no DocumentReference is written.
    check_every
        Check every resource with ``fhir.resources``, and not each shape once.

    Raises
    ------
    clinical_nlp.errors.OutputError
        E511: a file cannot be written; E521: a resource would not be valid; E522: an
        estimate's band is not published.

    Examples
    --------
    >>> with FhirSink(out / "fhir", context, concepts, load_bands()) as sink:  # doctest: +SKIP
    ...     for result in results:
    ...         sink.write(result)
    ...     counts = sink.close()
    """

    def __init__(
        self,
        folder: Path,
        context: RunContext,
        concepts: Mapping[str, Concept],
        bands: Scale,
        base: str = DEFAULT_BASE,
        ai_system: str = OBSERVATION_VALUE,
        card: str = "",
        check_every: bool = False,
    ) -> None:
        self._context = context
        self._concepts = concepts
        self._bands = {band.key: band for band in bands}
        urls = CanonicalUrls(base.rstrip("/"))
        vocabulary = load_vocabulary(urls)
        self._checker = Checker(check_every)
        self._pending: list[Resource] = []
        self._folder = NdjsonFolder(folder, TYPES)
        for resource in (
            *code_systems(vocabulary, concepts, bands, context.software),
            *extensions(urls, context.software),
        ):
            self._write(resource)
        described = self._write(model_card(context.model, card, urls)) if card.strip() else None
        self._run = RunElements(
            vocabulary,
            reader=self._write(reader_device(context, urls)),
            model=self._write(model_device(context.model, urls, described)),
            meta=label(ai_system),
            card=described,
        )
        self._flush()

    def __enter__(self) -> FhirSink:
        return self

    def __exit__(self, *failure: object) -> None:
        self._folder.discard()

    def render(self, result: PatientResult) -> Lines:
        """Return every resource about one patient; fails where one cannot be made."""
        try:
            self._make(result)
            return [(resource.kind, resource.line) for resource in self._pending]
        finally:
            self._pending.clear()

    def append(self, rendered: Lines) -> None:
        """Write a patient's resources."""
        for kind, line in rendered:
            self._folder.add(kind, line)

    def write(self, result: PatientResult) -> None:
        """Write every resource about one patient; none of them, if one cannot be made."""
        self.append(self.render(result))

    def dump(self, rendered: Lines) -> bytes:
        """Return a patient's resources as bytes: a line each, after its type."""
        return "".join(f"{kind} {line}\n" for kind, line in rendered).encode("utf-8", "replace")

    def load(self, data: bytes) -> Lines:
        """Read a patient's resources."""
        lines = data.decode().split("\n")[:-1]
        return [(kind, line) for kind, _, line in (row.partition(" ") for row in lines)]

    def _flush(self) -> None:
        self.append([(resource.kind, resource.line) for resource in self._pending])
        self._pending.clear()

    def _make(self, result: PatientResult) -> None:
        targets: list[Json] = []
        references: FindingReferences = {}
        for item in result.notes:
            source = SourceNote.of(item.note, self._run.vocabulary.urls)
            by_content: dict[str, Json] = {}
            for statement in statements(item.findings):
                resource = self._statement_resource(statement, source)
                if resource is None:
                    continue
                # Two statements with the same resource (they differ in what FHIR cannot
                # express) are written once.
                content = dumps({k: v for k, v in resource.body.items() if k != "identifier"})
                if content not in by_content:
                    by_content[content] = self._write(resource)
                    targets.append(by_content[content])
                written = by_content[content]
                for start, end in statement.spans:
                    references[source.key, statement.finding.concept, start, end] = written
        day = self._context.as_of
        assessed = self._assess(result.estimate, references)
        if targets:
            self._write(reading_provenance(result.record, targets, day, self._run))
        self._write(estimate_provenance(result.record, assessed, day, self._run))

    def close(self) -> Mapping[str, int]:
        """Finish the files; return how many resources each holds."""
        self._folder.close()
        return {f"fhir/{kind}.ndjson": self._folder.counts.get(kind, 0) for kind in TYPES}

    def _statement_resource(self, statement: Statement, note: SourceNote) -> Resource | None:
        finding = statement.finding
        # Of a label outside the catalogue only the key is known.
        concept = self._concepts.get(finding.concept) or Concept(finding.concept, "", {})
        if is_observed(finding):
            return observation(statement, note, concept, self._run)
        if is_family_history(finding, concept, self._run.vocabulary):
            return family_history(statement, note, concept, self._run)
        return None

    def _assess(self, estimate: RiskEstimate, references: FindingReferences) -> list[Json]:
        band = self._band(estimate)
        evidence = [e for reason in estimate.reasons for e in reason.evidence]
        targets = [_evidence_reference(e, references) for e in evidence]
        basis = list({dumps(target): target for target in targets}.values())
        assessment = self._write(risk_assessment(estimate, band, basis, self._run))
        if not is_on_worklist(estimate, self._context.worklist_threshold):
            return [assessment]
        task = review_task(estimate, band, assessment, self._run)
        return [assessment, self._write(task)]

    def _band(self, estimate: RiskEstimate) -> Band | None:
        if estimate.probability is None:
            return None
        band = self._bands.get(estimate.band or "")
        if band is None:
            raise OutputError(
                "E522",
                f"the risk band {estimate.band!r} is not among the published ones "
                f"({', '.join(self._bands)}): correct clinical_nlp/risk/bands.toml or the model.",
            )
        return band

    def _write(self, resource: Resource) -> Json:
        self._checker.check(resource)
        self._pending.append(resource)
        return resource.reference


def _evidence_reference(evidence: Evidence, references: FindingReferences) -> Json:
    """Return a reference to a piece of evidence: our resource, or the export's."""
    if evidence.start is not None and evidence.end is not None:
        place = (evidence.source, evidence.concept, evidence.start, evidence.end)
        if place in references:
            return references[place]
    # A structured resource; or a finding that is not written (hypothetical): its note.
    source, _, _ = evidence.source.partition("#")
    return reference(source)
