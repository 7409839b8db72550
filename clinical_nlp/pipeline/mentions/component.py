"""The spaCy component ``clinical_mentions``."""

# No ``from __future__ import annotations`` here: spaCy reads a factory's annotations when
# it validates the config and cannot resolve them as strings.

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from spacy.language import Language
from spacy.tokens import Doc

from clinical_nlp.errors import ModelError
from clinical_nlp.neural.engine import Engine
from clinical_nlp.neural.tagger.files import (
    BATCH,
    CONFIG,
    TOKENIZER,
    WEIGHTS,
    WINDOW,
    model_digest,
)
from clinical_nlp.neural.tagger.locate import SHIPPED, find_mention_model
from clinical_nlp.neural.tagger.spans import mention_rows
from clinical_nlp.neural.tagger.word_features import FEATURES, doc_features
from clinical_nlp.pipeline.document import get_findings, set_mentions
from clinical_nlp.pipeline.engine_component import EngineComponent
from clinical_nlp.pipeline.mentions.linking import Linker
from clinical_nlp.records import Mention

_FILE = "mentions.json"
_FOLDER = "model"


@dataclass(frozen=True)
class MentionSettings:
    """What the component is told; see :func:`create_mentions`, whose defaults these are."""

    model: str = SHIPPED
    backend: str = "auto"
    device: str = "cpu"
    cache_mib: float = 64
    least_score: float = 0.0


class ClinicalMentions(EngineComponent):
    """Marks mentions of diseases, symptoms, procedures and medications.

    Parameters
    ----------
    settings
        Which model, and how to run it.

    Notes
    -----
    ``doc._.mentions`` is a tuple of :class:`~clinical_nlp.records.Mention`, kept as plain
    rows. The weights are found and loaded when the first doc comes. A pipeline saved to disk
    holds the model's files; one turned into bytes holds its digest, and refuses another
    model of that name.
    """

    def __init__(self, settings: MentionSettings) -> None:
        super().__init__()
        self.settings = settings
        self._expected: str | None = None
        self._carried: Path | None = None
        self._checked: Path | None = None

    @property
    def folder(self) -> Path:
        """Folder of the model.

        Raises
        ------
        ModelError
            E460: there is none. E461: it lacks a file. E463: it is not the one that the
            pipeline was saved with.
        """
        if self._checked is None:
            folder = self._carried or find_mention_model(self.settings.model)
            if self._expected not in (None, model_digest(folder)):
                raise ModelError(
                    "E463",
                    f"the mention model '{self.settings.model}' is not the one that the "
                    "pipeline was saved with: save the pipeline again with this one",
                )
            self._checked = folder
        return self._checked

    def _load(self) -> Engine:
        from clinical_nlp.neural.backends import choose
        from clinical_nlp.neural.tagger.inference import InferenceTagger
        from clinical_nlp.neural.tagger.model import load_mention_model

        # A GPU has kernels of its own for whole LSTMs, and is slowed by many small steps.
        _, device = choose(self.settings.backend, self.settings.device)
        on_cpu = device == "cpu"
        model = load_mention_model(self.folder, lean=on_cpu)
        return Engine(
            InferenceTagger(model.tagger) if on_cpu else model.tagger,
            model.tokenizer,
            window=WINDOW,
            context="sentence",
            decode=model.decoder,
            features=FEATURES,
            backend=self.settings.backend,
            device=self.settings.device,
            batch_pieces=BATCH,
            cache_mib=self.settings.cache_mib,
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

    # spaCy saves and loads every component through these four.
    def to_bytes(self, **kwargs: object) -> bytes:
        """Serialise the settings and the model's digest."""
        return json.dumps(self._described(), sort_keys=True).encode()

    def from_bytes(self, data: bytes, **kwargs: object) -> Self:
        """Load what :meth:`to_bytes` gave; the model itself must be at hand."""
        self._take(json.loads(data), None)
        return self

    def to_disk(self, path: str | Path, **kwargs: object) -> None:
        """Write the settings and the model's files."""
        target = Path(path)
        (target / _FOLDER).mkdir(parents=True, exist_ok=True)
        text = json.dumps(self._described(), indent=2, sort_keys=True)
        (target / _FILE).write_text(text + "\n", "utf-8")
        for name in (CONFIG, WEIGHTS, *TOKENIZER):
            shutil.copyfile(self.folder / name, target / _FOLDER / name)

    def from_disk(self, path: str | Path, **kwargs: object) -> Self:
        """Load what :meth:`to_disk` wrote."""
        try:
            loaded = json.loads((Path(path) / _FILE).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ModelError(
                "E461", f"the saved mentions {path} cannot be read: save the pipeline again"
            ) from error
        self._take(loaded, Path(path) / _FOLDER)
        return self

    def _described(self) -> dict[str, Any]:
        return {"settings": asdict(self.settings), "digest": model_digest(self.folder)}

    def _take(self, loaded: dict[str, Any], carried: Path | None) -> None:
        self.settings = replace(self.settings, **loaded["settings"])
        self._expected = loaded["digest"]
        self._carried = carried
        self._checked = self._engine = None


@Language.factory(
    "clinical_mentions", assigns=["doc._.mentions"], default_config=asdict(MentionSettings())
)
def create_mentions(
    nlp: Language,
    name: str,
    model: str,
    backend: str,
    device: str,
    cache_mib: float,
    least_score: float,
) -> ClinicalMentions:
    """Entry for spaCy's config.

    Parameters
    ----------
    model
        Name of a shipped mention model, or the folder of one.
    backend, device
        See :func:`clinical_nlp.neural.backends.choose`.
    cache_mib
        Memory for the results of sentences read before; 0 reads each anew.
    least_score
        Mentions below it are left out; 0 keeps all.
    """
    return ClinicalMentions(MentionSettings(model, backend, device, cache_mib, least_score))
