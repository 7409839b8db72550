"""The spaCy component ``alia_encoder``: a vector for every word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
from spacy.tokens import Doc

from clinical_nlp.errors import ModelError
from clinical_nlp.neural.checkpoint import Checkpoint
from clinical_nlp.neural.engine import Engine, EngineConfig
from clinical_nlp.neural.locate import EMBEDDED, find_checkpoint
from clinical_nlp.neural.segments import Context
from clinical_nlp.pipeline.engine_component import (
    EngineComponent,
    EngineSettings,
    register_component,
)

_KEY = "clinical_nlp.vectors"

#: Files of a checkpoint that are saved with a pipeline: data, no code, no pickle.
_SAVED_KINDS = frozenset({".json", ".safetensors", ".txt", ".model"})


@dataclass(frozen=True)
class EncoderSettings(EngineSettings):
    """Config of ``alia_encoder``.

    Attributes
    ----------
    model
        Name of a shipped encoder, a folder, or a Hugging Face hub id.
    revision
        Commit, tag or branch on the hub.
    offline
        Take a hub's encoder from this machine's cache alone.
    context
        ``"sentence"``, ``"note"``, or a number of words up to which sentences are packed.
    window, overlap
        Subwords read at once, and shared by two windows of one segment. A window is never
        longer than the encoder's own context. Longer windows cost more for each word (global
        attention is quadratic), and clinical sentences seldom depend on more.
    keep
        Whether the vectors stay on the doc.
    carry
        Whether a saved pipeline holds the weights.

    Raises
    ------
    ModelError
        E447: there is no such context.
    """

    model: str = EMBEDDED
    revision: str | None = None
    offline: bool = True
    context: int | str = "sentence"
    window: int = 512
    overlap: int = 64
    keep: bool = True
    carry: bool = False

    def __post_init__(self) -> None:
        """Check the context."""
        if isinstance(self.context, str) and self.context not in ("sentence", "note"):
            raise ModelError(
                "E447", f"no context '{self.context}': choose sentence, note or a number"
            )


class AliaEncoder(EngineComponent[EncoderSettings]):
    """Gives each token its contextual vector.

    Notes
    -----
    ``doc._.vectors`` is float32 [tokens, hidden]; white space has zeros. It is stored in half
    precision in ``doc.user_data``, so that it survives ``DocBin`` (with ``store_user_data``),
    ``Doc.to_bytes`` and ``n_process``; ``keep = false`` stores nothing.
    """

    settings_file = "encoder.json"
    model_folder = "checkpoint"
    model_noun = "encoder"
    settings_error = mismatch_error = "E445"

    @property
    def checkpoint(self) -> Checkpoint:
        """The encoder's files; raises as ``resolved_model`` does."""
        return Checkpoint(self.settings.model, self.resolved_model[0])

    def _find_model(self) -> tuple[Path, str]:
        model, settings = self.settings.model, self.settings
        if self._saved_folder is not None:
            found = Checkpoint(model, self._saved_folder)
        else:
            found = find_checkpoint(model, revision=settings.revision, offline=settings.offline)
        return found.folder, found.digest

    def _model_files(self, folder: Path, *, on_disk: bool) -> list[Path]:
        if not self.settings.carry:
            return []
        return sorted(p for p in folder.iterdir() if p.is_file() and p.suffix in _SAVED_KINDS)

    def _load(self) -> Engine:
        from clinical_nlp.neural.vectors import WordVectors

        settings, checkpoint = self.settings, self.checkpoint
        return Engine(
            WordVectors(checkpoint.model()),
            checkpoint.tokenizer,
            EngineConfig(
                window=min(settings.window, checkpoint.window),
                context=cast("Context", settings.context),
                overlap=settings.overlap,
                backend=settings.backend,
                device=settings.device,
                cache_mib=settings.cache_mib,
            ),
        )

    def _annotate(self, docs: Sequence[Doc]) -> None:
        for doc, vectors in zip(docs, self.engine.run(docs), strict=True):
            if self.settings.keep:
                set_vectors(doc, vectors)


def get_vectors(doc: Doc) -> npt.NDArray[np.float32] | None:
    """Return the vectors that ``alia_encoder`` set on a doc, float32 [tokens, hidden]."""
    stored = doc.user_data.get(_KEY)
    return None if stored is None else np.asarray(stored, dtype=np.float32)


def set_vectors(doc: Doc, vectors: npt.NDArray[np.float32]) -> None:
    """Store vectors on a doc, in half precision."""
    doc.user_data[_KEY] = vectors.astype(np.float16)


Doc.set_extension("vectors", getter=get_vectors, setter=set_vectors, force=True)

create_encoder = register_component("alia_encoder", AliaEncoder, EncoderSettings)
