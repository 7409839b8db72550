"""The spaCy component ``clinical_mentions``: mentions, each linked to a concept if it has one.

The findings within a mention decide its concept: they come from the lexicon, which reads
abbreviations, misspellings and context. A mention without a finding has no concept (NIL); the
catalogue covers heart failure, not all of medicine.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from spacy.tokens import Doc

from clinical_nlp.neural.engine import Engine
from clinical_nlp.neural.tagger.files import (
    ENGINE_CONFIG,
    MODEL_FILES,
    SHIPPED,
    find_mention_model,
    model_digest,
)
from clinical_nlp.neural.tagger.viterbi import mention_rows
from clinical_nlp.neural.tagger.word_features import doc_features
from clinical_nlp.pipeline.document import get_findings, set_mentions
from clinical_nlp.pipeline.engine_component import (
    EngineComponent,
    EngineSettings,
    register_component,
)
from clinical_nlp.records import Finding, Mention


@dataclass(frozen=True)
class MentionSettings(EngineSettings):
    """Config of ``clinical_mentions``.

    Attributes
    ----------
    least_score
        Mentions with a lower score are left out.
    """

    model: str = SHIPPED
    least_score: float = 0.0


class ClinicalMentions(EngineComponent[MentionSettings]):
    """Marks mentions of diseases, symptoms, procedures and medications.

    Notes
    -----
    ``doc._.mentions`` is a tuple of :class:`~clinical_nlp.records.Mention`. A pipeline saved
    to disk holds the model's files; one turned into bytes holds only its digest.
    """

    settings_file = "mentions.json"
    model_folder = "model"
    model_noun = "mention model"
    settings_error, mismatch_error = "E461", "E463"

    def _find_model(self) -> tuple[Path, str]:
        folder = self._saved_folder or find_mention_model(self.settings.model)
        return folder, model_digest(folder)

    def _model_files(self, folder: Path, *, on_disk: bool) -> list[Path]:
        return [folder / name for name in MODEL_FILES] if on_disk else []

    def _load(self) -> Engine:
        from clinical_nlp.neural.backends import choose
        from clinical_nlp.neural.tagger.inference import InferenceTagger
        from clinical_nlp.neural.tagger.model import load_mention_model

        settings = self.settings
        # A GPU has kernels for whole LSTMs; many small steps would slow it down.
        _, device = choose(settings.backend, settings.device)
        on_cpu = device == "cpu"
        model = load_mention_model(self.resolved_model[0], for_inference=on_cpu)
        return Engine(
            InferenceTagger(model.tagger) if on_cpu else model.tagger,
            model.tokenizer,
            replace(
                ENGINE_CONFIG,
                backend=settings.backend,
                device=settings.device,
                cache_mib=settings.cache_mib,
            ),
            decode=model.decoder,
        )

    def _annotate(self, docs: Sequence[Doc]) -> None:
        features = [doc_features(doc) for doc in docs]
        for doc, decoded in zip(docs, self.engine.run(docs, features), strict=True):
            text, concept_at = doc.text, Linker(get_findings(doc))
            set_mentions(
                doc,
                [
                    Mention(
                        start, end, text[start:end], label, round(score, 4), concept_at(start, end)
                    )
                    for start, end, label, score in mention_rows(doc, decoded)
                    if score >= self.settings.least_score
                ],
            )


class Linker:
    """Looks up the findings of one doc by place.

    Parameters
    ----------
    findings
        In any order.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        self._findings = sorted(findings, key=lambda finding: finding.start)
        self._starts = [finding.start for finding in self._findings]

    def __call__(self, start: int, end: int) -> str | None:
        """Concept of the longest finding within a mention, the first of equally long ones.

        Parameters
        ----------
        start, end
            Place of the mention.

        Returns
        -------
        str or None
            ``None`` where no finding lies wholly within it.
        """
        best: Finding | None = None
        first, stop = bisect_left(self._starts, start), bisect_left(self._starts, end)
        for finding in self._findings[first:stop]:
            longer = best is None or finding.end - finding.start > best.end - best.start
            if finding.end <= end and longer:
                best = finding
        return None if best is None else best.concept


create_mentions = register_component(
    "clinical_mentions", ClinicalMentions, MentionSettings, assigns=["doc._.mentions"]
)
