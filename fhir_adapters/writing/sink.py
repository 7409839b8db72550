"""The way out: one patient's result after another, as FHIR R4 NDJSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from clinical_nlp.errors import OutputError
from clinical_nlp.records import Concept, Evidence, PatientResult, RiskEstimate, RunContext
from fhir_adapters.writing.assessment import review_task, risk_assessment
from fhir_adapters.writing.check import Checker
from fhir_adapters.writing.definitions import code_systems
from fhir_adapters.writing.device import device
from fhir_adapters.writing.elements import Json, Resource, coding, dumps, reference
from fhir_adapters.writing.extensions import extensions
from fhir_adapters.writing.family import family_history, is_family_history
from fhir_adapters.writing.grouping import Statement, statements
from fhir_adapters.writing.ndjson import NdjsonFolder
from fhir_adapters.writing.observation import is_observed, observation
from fhir_adapters.writing.provenance import provenance
from fhir_adapters.writing.scale import Band, Scale
from fhir_adapters.writing.source_note import SourceNote
from fhir_adapters.writing.urls import DEFAULT_BASE, OBSERVATION_VALUE_OID, Canon
from fhir_adapters.writing.vocabulary import load_vocabulary

#: Reference to what was written of a finding, by note key, concept, start and end.
Places = dict[tuple[str, str, int, int], Json]

#: Types written, in the order in which a server should load them.
TYPES = (
    "CodeSystem",
    "StructureDefinition",
    "Device",
    "Observation",
    "FamilyMemberHistory",
    "RiskAssessment",
    "Task",
    "Provenance",
)


class FhirSink:
    """Writes patients' results to a folder of FHIR R4 (4.0.1) NDJSON files.

    A :class:`clinical_nlp.batch.ports.ResultSink`. Streams: one patient is in memory at a
    time, and patients stand in the files in the order they come. The same results, run
    context and definitions give the same bytes.

    Parameters
    ----------
    folder
        Where ``Observation.ndjson`` and the others go (``DIR/fhir``); made private.
    context
        What the run speaks of: day, versions, model, threshold.
    concepts
        The catalogue, by concept key.
    bands
        The published risk bands.
    base
        URL under which this installation publishes its own definitions.
    ai_system
        Code system URI of ``AIAST`` in ``meta.security`` (docs/reference/fhir-output.md says why it
        is the OID).
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
        ai_system: str = OBSERVATION_VALUE_OID,
        check_every: bool = False,
    ) -> None:
        self._context = context
        self._concepts = concepts
        self._bands = {band.key: band for band in bands}
        self._canon = Canon(base.rstrip("/"))
        self._vocabulary = load_vocabulary()
        self._checker = Checker(check_every)
        self._meta: Json = {
            "security": [coding(ai_system, "AIAST", "Artificial Intelligence asserted")]
        }
        self._folder = NdjsonFolder(folder, TYPES)
        for resource in code_systems(
            self._vocabulary, concepts, bands, self._canon, context.software
        ):
            self._put(resource)
        for resource in extensions(self._canon, context.software):
            self._put(resource)
        self._device = self._put(device(context, self._canon))

    def __enter__(self) -> FhirSink:
        return self

    def __exit__(self, *failure: object) -> None:
        self._folder.discard()

    def write(self, result: PatientResult) -> None:
        """Write everything that is said of one patient."""
        targets: list[Json] = []
        places: Places = {}
        for note, findings in ((n.note, n.findings) for n in result.notes):
            source = SourceNote.of(note, self._canon)
            made: dict[str, Json] = {}
            for statement in statements(findings):
                resource = self._said(statement, source)
                if resource is None:
                    continue
                # Ids are of the content: two statements that come out as the same resource
                # (they differ in what FHIR has no place for) are one.
                if resource.id not in made:
                    made[resource.id] = self._put(resource)
                    targets.append(made[resource.id])
                written = made[resource.id]
                for start, end in statement.spans:
                    places[source.key, statement.said.concept, start, end] = written
        targets += self._assess(result.estimate, places)
        self._put(
            provenance(
                result.record, targets, self._context.as_of, self._canon, self._device, self._meta
            )
        )

    def close(self) -> Mapping[str, int]:
        """Finish the files; return how many resources each holds."""
        self._folder.close()
        return {f"fhir/{kind}.ndjson": self._folder.counts.get(kind, 0) for kind in TYPES}

    def _said(self, statement: Statement, note: SourceNote) -> Resource | None:
        finding = statement.said
        # A label outside the catalogue: its key is all that is known of it.
        concept = self._concepts.get(finding.concept) or Concept(finding.concept, "", {})
        words, canon = self._vocabulary, self._canon
        if is_observed(finding):
            return observation(statement, note, concept, words, canon, self._device, self._meta)
        if is_family_history(finding, concept, words):
            return family_history(statement, note, concept, words, canon, self._meta)
        return None

    def _assess(self, estimate: RiskEstimate, places: Places) -> list[Json]:
        band = self._band(estimate)
        evidence = [e for reason in estimate.reasons for e in reason.evidence]
        found = [_behind(e, places) for e in evidence]
        basis = list({dumps(one): one for one in found}.values())
        assessment = self._put(
            risk_assessment(
                estimate,
                band,
                basis,
                self._vocabulary,
                self._canon,
                self._device,
                self._meta,
            )
        )
        probability = estimate.probability
        if band is None or probability is None or probability < self._context.worklist_threshold:
            return [assessment]
        task = review_task(estimate, band, probability, assessment, self._device, self._meta)
        return [assessment, self._put(task)]

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

    def _put(self, resource: Resource) -> Json:
        self._checker.check(resource)
        self._folder.add(resource.kind, resource.line)
        return resource.reference


def _behind(evidence: Evidence, places: Places) -> Json:
    """Return a reference to what an evidence points to: our resource, or the export's."""
    if evidence.start is not None and evidence.end is not None:
        place = (evidence.source, evidence.concept, evidence.start, evidence.end)
        if place in places:
            return places[place]
    # A structured resource; or a finding that is not written (hypothetical): its note.
    source, _, _ = evidence.source.partition("#")
    return reference(source)
