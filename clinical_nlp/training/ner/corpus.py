"""Annotated documents, and the training examples that are cut from them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import numpy as np
import numpy.typing as npt
from spacy.language import Language

from clinical_nlp.errors import InputError
from clinical_nlp.evaluation.mentions import MentionSpan
from clinical_nlp.evaluation.splits import assign_part
from clinical_nlp.neural.segments import segment
from clinical_nlp.neural.subwords import SubwordAligner
from clinical_nlp.neural.tagger.labels import LABELS, tags_of
from clinical_nlp.neural.tagger.word_features import doc_features
from clinical_nlp.training.encoder.text import read_lines
from clinical_nlp.training.ner.recipe import CorpusRecipe, SplitRecipe

Ints = npt.NDArray[np.int64]
PartName = Literal["train", "validation", "test"]

#: Longest example, in words; a longer sentence is cut. One sentence in 100 is longer, most of
#: them tables of results.
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class AnnotatedDocument:
    """A document and its gold mentions.

    Attributes
    ----------
    labels
        The labels that were annotated.
    repeat
        How often it is read in an epoch.
    part
        Where the split puts it.
    """

    id: str
    text: str
    mentions: frozenset[MentionSpan]
    labels: tuple[str, ...]
    repeat: int
    part: PartName


@dataclass(frozen=True, slots=True)
class Example:
    """A sentence to train on.

    Attributes
    ----------
    ids
        Token ids with the special ones, int64 [tokens].
    places
        Of each word's first and last token in ``ids``, int64 [words, 2].
    features
        int64 [words, 5].
    tags
        int64 [words, labels].
    known
        Whether each label was annotated, bool [labels].
    """

    ids: Ints
    places: Ints
    features: Ints
    tags: Ints
    known: npt.NDArray[np.bool_]


def read_corpus(recipe: CorpusRecipe, path: Path, split: SplitRecipe) -> list[AnnotatedDocument]:
    """Read an annotated corpus.

    Parameters
    ----------
    recipe
        Its labels; documents of a corpus that is not measured are all trained on.
    path
        JSON lines, plain or ``.gz``.
    split
        Shares of validation and test documents.

    Raises
    ------
    InputError
        E265: the file cannot be read. E266: a row is not an annotated document.
    """
    return [
        _document(recipe, line, number, path, split)
        for number, line in enumerate(read_lines(path), start=1)
        if line.strip()
    ]


def _document(
    recipe: CorpusRecipe, line: str, number: int, path: Path, split: SplitRecipe
) -> AnnotatedDocument:
    try:
        row = json.loads(line)
        text = row["text"]
        if not isinstance(text, str):
            raise TypeError("text")
        mentions = frozenset(
            (str(m["label"]), int(m["start"]), int(m["end"]))
            for m in row["entities"]
            if m["label"] in recipe.labels
        )
        if any(not 0 <= start < end <= len(text) for _, start, end in mentions):
            raise ValueError("span")
        name = str(row["id"])
    except (ValueError, KeyError, TypeError):
        raise InputError(
            "E266",
            f"line {number} of '{path.name}' is not an annotated document: it needs id, text and "
            "entities with label, start and end (in code points, end exclusive, inside the text)",
        ) from None
    part = _part_of(text, split) if recipe.measured else "train"
    return AnnotatedDocument(name, text, mentions, recipe.labels, recipe.repeat, part)


def _part_of(text: str, split: SplitRecipe) -> PartName:
    """Part of a document, by a hash of its text: equal texts are in the same part."""
    shares = {"test": split.test, "validation": split.validation}
    return cast(PartName, assign_part(f"{split.salt}\n{text.strip()}", shares, rest="train"))


def build_training_set(
    documents: Iterable[AnnotatedDocument], nlp: Language, aligner: SubwordAligner
) -> list[Example]:
    """Cut documents into examples, each as often as its corpus is repeated."""
    return [
        example
        for document in documents
        for example in _examples(document, nlp, aligner)
        for _ in range(document.repeat)
    ]


def _examples(
    document: AnnotatedDocument, nlp: Language, aligner: SubwordAligner
) -> Iterator[Example]:
    """Cut a document into sentences and encode its mentions as tags.

    A mention that does not begin and end with words of one sentence (2 in 1,000) cannot be
    encoded and is left out.
    """
    doc = nlp(document.text)
    features = doc_features(doc)
    known = np.array([label in document.labels for label in LABELS])
    for sentence in segment(doc, "sentence"):
        origin = doc[int(sentence.tokens[0])].idx
        for begin in range(0, len(sentence.tokens), _LONGEST):
            part = slice(begin, begin + _LONGEST)
            starts, ends = sentence.starts[part], sentence.ends[part]
            base = int(starts[0])
            text = sentence.text[base : int(ends[-1])]
            read = aligner.read([text], [starts - base], [ends - base])[0]
            yield Example(
                np.array([*aligner.prefix, *read.ids, *aligner.suffix], dtype=np.int64),
                np.stack((read.first, read.last), axis=1).astype(np.int64) + len(aligner.prefix),
                features[sentence.tokens[part]],
                _tags(document.mentions, starts + origin, ends + origin),
                known,
            )


def _tags(mentions: frozenset[MentionSpan], starts: Ints, ends: Ints) -> Ints:
    """Tags of every label for words at their places in the document, int64 [words, labels]."""
    first = {int(start): word for word, start in enumerate(starts)}
    last = {int(end): word for word, end in enumerate(ends)}
    layers = []
    for label in LABELS:
        spans = [
            (first[start], last[end])
            for name, start, end in mentions
            if name == label and start in first and end in last
        ]
        layers.append(tags_of((s for s in spans if s[0] <= s[1]), len(starts)))
    return np.stack(layers, axis=1)
