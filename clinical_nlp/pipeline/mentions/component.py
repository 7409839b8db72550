"""The spaCy component ``clinical_mentions``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from spacy.tokens import Doc

from clinical_nlp.errors import ModelError
from clinical_nlp.neural.engine import Engine
from clinical_nlp.neural.tagger.files import ENGINE_CONFIG, MODEL_FILES, model_digest
from clinical_nlp.neural.tagger.locate import SHIPPED, find_mention_model
from clinical_nlp.neural.tagger.spans import mention_rows
from clinical_nlp.neural.tagger.word_features import doc_features
from clinical_nlp.pipeline.document import get_findings, set_mentions
from clinical_nlp.pipeline.engine_component import EngineComponent, register_component
from clinical_nlp.pipeline.mentions.linking import Linker
from clinical_nlp.records import Mention


@dataclass(frozen=True)
class MentionSettings:
    """Config of ``clinical_mentions``.

    Attributes
    ----------
    model
        Name of a shipped mention model, or the folder of one.
    backend, device
        See :func:`clinical_nlp.neural.backends.choose`.
    cache_mib
        Memory for the results of sentences that were read before, in MiB; 0 turns it off.
    least_score
        Mentions with a lower score are left out.
    """

    model: str = SHIPPED
    backend: str = "auto"
    device: str = "cpu"
    cache_mib: float = 64
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
    unreadable = ("E461", "mentions")
    _folder: Path | None = None

    @property
    def folder(self) -> Path:
        """Folder of the model.

        Raises
        ------
        ModelError
            E460: there is none. E461: a file is missing. E463: it is not the model that the
            pipeline was saved with.
        """
        if self._folder is None:
            folder = self._saved_folder or find_mention_model(self.settings.model)
            if self._expected_digest not in (None, model_digest(folder)):
                raise ModelError(
                    "E463",
                    f"the mention model '{self.settings.model}' is not the one that the "
                    "pipeline was saved with: save the pipeline again with this one",
                )
            self._folder = folder
        return self._folder

    def _located(self) -> tuple[Path, str]:
        return self.folder, model_digest(self.folder)

    def _model_files(self, folder: Path, *, on_disk: bool) -> list[Path]:
        return [folder / name for name in MODEL_FILES] if on_disk else []

    def _reset(self) -> None:
        super()._reset()
        self._folder = None

    def _load(self) -> Engine:
        from clinical_nlp.neural.backends import choose
        from clinical_nlp.neural.tagger.inference import InferenceTagger
        from clinical_nlp.neural.tagger.model import load_mention_model

        settings = self.settings
        # A GPU has kernels for whole LSTMs; many small steps would slow it down.
        _, device = choose(settings.backend, settings.device)
        on_cpu = device == "cpu"
        model = load_mention_model(self.folder, for_inference=on_cpu)
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
            digest=model.digest,
        )

    def _read(self, docs: Sequence[Doc]) -> None:
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


create_mentions = register_component(
    "clinical_mentions", ClinicalMentions, MentionSettings, assigns=["doc._.mentions"]
)
