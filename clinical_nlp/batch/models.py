"""What a batch run loads once: the pipeline that reads notes and the risk model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from spacy.language import Language

import clinical_nlp
from clinical_nlp.artifacts import folder_digest
from clinical_nlp.batch.extraction import load_pipeline
from clinical_nlp.batch.ports import ResultSink
from clinical_nlp.batch.sinks import (
    AuditTable,
    EstimatesTable,
    FeaturesTable,
    FindingsTable,
    MentionsTable,
    Worklist,
)
from clinical_nlp.pipeline.assembly import fingerprint
from clinical_nlp.pipeline.reader import EsReader
from clinical_nlp.records import Concept, RunContext
from clinical_nlp.registry import ResolvedModel, resolve_model
from clinical_nlp.risk.bands import Bands


@dataclass(frozen=True, slots=True)
class BatchModels:
    """The loaded pipeline and risk model of a run.

    Parameters
    ----------
    nlp
        The pipeline, with the mention model where ``mentions``.
    mentions
        Whether mentions are marked too.
    reader
        Whether the learned reader reads.
    pipeline
        Fingerprint (hex) of the pipeline without the mention model, which makes no findings.
        Risk models and the ids of FHIR resources refer to it.
    resolved
        The risk model and how it was found.
    """

    nlp: Language
    mentions: bool
    reader: bool
    pipeline: str
    resolved: ResolvedModel

    @property
    def same_pipeline_as_trained(self) -> bool:
        """Whether this pipeline read the notes that the risk model was trained on."""
        return self.pipeline == self.resolved.model.spec.pipeline

    @property
    def reader_digest(self) -> str | None:
        """Digest of the learned reader, as ``models list`` shows it; ``None`` without it."""
        if not self.reader:
            return None
        component = self.nlp.get_pipe("es_reader")
        if not isinstance(component, EsReader):
            raise TypeError("es_reader")
        return folder_digest(component.resolved_model[0])

    @property
    def bounds_features(self) -> bool:
        """Whether the risk model holds the range of each feature that it was trained on."""
        return bool(self.resolved.model.spec.bounds)

    def context(self, day: date, threshold: float) -> RunContext:
        """Return what all outputs of a run for ``day`` share."""
        return RunContext(
            as_of=day,
            software=clinical_nlp.__version__,
            pipeline=self.pipeline,
            model=self.resolved.model.reference,
            worklist_threshold=threshold,
        )

    def sinks(
        self, folder: Path, context: RunContext, concepts: Mapping[str, Concept], bands: Bands
    ) -> list[ResultSink]:
        """Open the tables and the work list of a run in ``folder``."""
        features = self.resolved.model.spec.features
        tables: list[ResultSink] = [
            FindingsTable(folder / "findings.parquet", context, concepts),
            EstimatesTable(folder / "estimates.parquet", context),
            FeaturesTable(folder / "features.parquet", context, features),
            AuditTable(folder / "audit.parquet", context),
            Worklist(folder / "worklist.csv", context, bands),
        ]
        if self.mentions:
            path = folder / "mentions.parquet"
            tables.append(MentionsTable(path, context, fingerprint(self.nlp)))
        return tables


def load_models(model_uri: str, mentions: bool, reader: bool = True) -> BatchModels:
    """Load the pipeline and resolve the risk model.

    Raises
    ------
    clinical_nlp.errors.ModelError
        E401 to E417: the risk model cannot be resolved, trusted or used.
    """
    nlp = load_pipeline(mentions, reader)
    resolved = resolve_model(model_uri)
    findings_pipeline = clinical_nlp.load(reader=reader) if mentions else nlp
    return BatchModels(nlp, mentions, reader, fingerprint(findings_pipeline), resolved)
