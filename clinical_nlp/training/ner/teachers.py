"""What trained models say of text that nobody annotated, for another model to learn from.

Several models that differ in their seeds know more together than each does, and what they
believe of unlabelled text can be taught to one of them: an ensemble for the price of one
[1]_. Where a corpus lacks a layer of annotation, they stand in for it too.

References
----------
.. [1] Hinton et al., "Distilling the knowledge in a neural network", arXiv:1503.02531;
   Xie et al., "Self-training with Noisy Student", CVPR 2020 (the student sees its input
   through dropout, its teachers do not).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from clinical_nlp.artifacts import digest_of, replace_file
from clinical_nlp.neural.subwords import SubwordAligner
from clinical_nlp.neural.tagger.labels import LABELS, TAGS
from clinical_nlp.neural.tagger.model import MentionModel, load_mention_model
from clinical_nlp.training.ner.batches import grouped, make_batch
from clinical_nlp.training.ner.corpus import Annotated, Example, Halves, examples_in
from clinical_nlp.training.ner.crf import LayeredCrf

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc
    from transformers import PreTrainedTokenizerFast

Floats = npt.NDArray[np.float32]

#: Documents that are read at once, and pieces of a batch.
_DOCUMENTS = 200
_PIECES = 2048

#: Told of documents done and of all of them.
OnDocument = Callable[[int, int], None]


@dataclass(frozen=True)
class Teachers:
    """Mention models that are asked together.

    Parameters
    ----------
    models
        One at least; their encoders and tokenizers may differ.
    precision
        ``"bfloat16"`` or ``"float32"``: how they read.
    """

    models: Sequence[MentionModel]
    precision: str = "float32"

    @classmethod
    def load(cls, folders: Iterable[Path], precision: str = "float32") -> Teachers:
        """Load mention models from their folders.

        Raises
        ------
        ModelError
            E461, E462: a folder holds no mention model that can be read.
        """
        return cls([load_mention_model(folder) for folder in folders], precision)

    def examples(
        self,
        documents: Sequence[Annotated],
        nlp: Language,
        tokenizer: PreTrainedTokenizerFast,
        store: Path,
        *,
        without: frozenset[str] = frozenset(),
        on_document: OnDocument = lambda done, documents: None,
    ) -> list[Example]:
        """Cut documents into units, with the teachers' beliefs where nobody annotated.

        Parameters
        ----------
        documents
            Annotated in part, or not at all.
        nlp
            Gives words and sentences: the pipeline's own.
        tokenizer
            Of the model that is to be taught.
        store
            Folder that answers are kept in: they are numbers, no text. The same question is
            not asked again there.
        without
            Texts of units that are left out. A unit without annotation that stood in an
            earlier document is left out too.
        on_document
            Told of progress.
        """
        pieces = SubwordAligner(tokenizer)
        readers = [_Reader(model, tokenizer, self.precision) for model in self.models]
        seen = set(without)
        found: list[Example] = []
        store.mkdir(parents=True, exist_ok=True)
        for begin in range(0, len(documents), _DOCUMENTS):
            some = documents[begin : begin + _DOCUMENTS]
            docs = [nlp(document.text) for document in some]
            both = list(zip(some, docs, strict=True))
            cut = [e for document, doc in both for e in examples_in(document, doc, pieces)]
            kept = [place for place, example in enumerate(cut) if _is_new(example, seen)]
            new = [cut[place] for place in kept]

            beliefs = self._remembered(store, readers, new, both, kept)
            for example, rows in zip(new, _split(beliefs, new), strict=True):
                found.append(replace(example, beliefs=rows))
            on_document(begin + len(some), len(documents))
        return found

    def _remembered(
        self,
        store: Path,
        readers: Sequence[_Reader],
        new: Sequence[Example],
        documents: Sequence[tuple[Annotated, Doc]],
        kept: Sequence[int],
    ) -> Halves:
        """Mean of the teachers' answers; what was asked before is read from the store."""
        question = digest_of(
            {str(number): model.digest for number, model in enumerate(self.models)}
            | {f"unit {place}": example.text for place, example in enumerate(new)}
        )
        path = store / f"{question}.safetensors"
        if path.is_file():
            return load_file(path)["beliefs"]
        total = np.zeros(
            (sum(len(e.places) for e in new), len(LABELS), len(TAGS)), dtype=np.float32
        )
        for reader in readers:
            theirs = new if reader.reads_alike else _recut(documents, reader.pieces, kept)
            total += reader.believe(theirs)
        beliefs: Halves = (total / len(readers)).astype(np.float16)
        with replace_file(path) as unfinished:
            save_file({"beliefs": beliefs}, unfinished)
        return beliefs


def _recut(
    documents: Sequence[tuple[Annotated, Doc]], pieces: SubwordAligner, kept: Sequence[int]
) -> list[Example]:
    """The units that are kept, in another tokenizer's pieces."""
    cut = [e for document, doc in documents for e in examples_in(document, doc, pieces)]
    return [cut[place] for place in kept]


def _split(beliefs: Halves, examples: Sequence[Example]) -> list[Halves]:
    ends = np.cumsum([len(example.places) for example in examples])
    return np.split(beliefs, ends[:-1]) if examples else []


def _is_new(example: Example, seen: set[str]) -> bool:
    if example.known.any():
        return True
    if example.text in seen:
        return False
    seen.add(example.text)
    return True


class _Reader:
    """One teacher, ready to be asked by a student with a tokenizer of its own."""

    def __init__(
        self, model: MentionModel, student: PreTrainedTokenizerFast, precision: str
    ) -> None:
        import torch

        self.pieces = SubwordAligner(model.tokenizer)
        own, other = model.tokenizer.backend_tokenizer, student.backend_tokenizer
        self.reads_alike = bool(own.to_str() == other.to_str())
        self._tagger = model.tagger
        self._halved = precision == "bfloat16"
        self._crf = LayeredCrf()
        with torch.no_grad():
            self._crf.transitions.copy_(torch.from_numpy(model.transitions))

    def believe(self, examples: Sequence[Example]) -> Floats:
        """Probability of each tag, float32 [words of all examples, labels, tags]."""
        import torch

        found: list[Floats | None] = [None] * len(examples)
        for group in grouped(examples, _PIECES):
            if not group:
                continue
            batch = make_batch([examples[index] for index in group], self.pieces.pad)
            halved = torch.autocast("cpu", torch.bfloat16, enabled=self._halved)
            with torch.no_grad(), halved:
                emissions = self._tagger(*batch.inputs)
            beliefs = self._crf.beliefs(emissions, batch.is_word).numpy()
            for row, index in enumerate(group):
                found[index] = beliefs[row, : len(examples[index].places)]
        shape = (0, len(LABELS), len(TAGS))
        return np.concatenate(
            [np.zeros(shape, dtype=np.float32), *(rows for rows in found if rows is not None)]
        )
