"""Annotated documents, and the units of them that the tagger is taught with."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import numpy.typing as npt

from clinical_nlp.errors import InputError
from clinical_nlp.evaluation.splits import assign_part
from clinical_nlp.neural.segments import segment
from clinical_nlp.neural.subwords import SubwordAligner
from clinical_nlp.neural.tagger.labels import LABELS, tags_of
from clinical_nlp.neural.tagger.word_features import doc_features
from clinical_nlp.training.ner.recipe import CorpusRecipe, SplitRecipe

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

Ints = npt.NDArray[np.int64]
Halves = npt.NDArray[np.float16]
PartName = Literal["train", "validation", "test"]

#: A mention as the scorer compares it: label, start, end.
Place = tuple[str, int, int]

#: Longest stretch that is taught at once, in words; a longer sentence is cut. One sentence
#: in 100 is longer, most of them tables of results.
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Annotated:
    """A document and its gold mentions.

    Attributes
    ----------
    id, text
        As in the file.
    mentions
        Gold mentions.
    labels
        The labels that were annotated.
    repeat
        How often it is read in an epoch.
    part
        Where the split puts it.
    """

    id: str
    text: str
    mentions: frozenset[Place]
    labels: tuple[str, ...]
    repeat: int
    part: PartName


@dataclass(frozen=True, slots=True)
class Example:
    """A unit to be taught.

    Attributes
    ----------
    ids
        Pieces with the special ones, int64 [pieces].
    places
        Of each word's first and last piece in ``ids``, int64 [words, 2].
    features
        int64 [words, 5].
    tags
        int64 [words, labels].
    known
        Whether each label was annotated, bool [labels].
    text
        What it reads.
    beliefs
        What teachers say of the layers that were not annotated: the probability of each tag,
        float16 [words, labels, tags]; ``None`` where nobody was asked.
    """

    ids: Ints
    places: Ints
    features: Ints
    tags: Ints
    known: npt.NDArray[np.bool_]
    text: str
    beliefs: Halves | None = None


def part_of(text: str, split: SplitRecipe) -> PartName:
    """Part of a document: by a hash of its text, so that no text is in two parts."""
    shares = {"test": split.test, "validation": split.validation}
    return cast(PartName, assign_part(f"{split.salt}\n{text.strip()}", shares, rest="train"))


def read_corpus(recipe: CorpusRecipe, path: Path, split: SplitRecipe) -> list[Annotated]:
    """Read an annotated corpus.

    Parameters
    ----------
    recipe
        Its labels; documents of an unmeasured corpus are all trained on.
    path
        JSON lines, plain or ``.gz``.
    split
        Into which parts.

    Raises
    ------
    InputError
        E265: the file cannot be read. E266: a row is no annotated document.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    documents: list[Annotated] = []
    try:
        with opener(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    documents.append(_document(recipe, line, number, path, split))
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(
            "E265",
            f"the corpus '{path}' cannot be read ({type(error).__name__}): it must be JSON "
            'lines, plain or .gz, whose rows have a "text"; check the path in the recipe',
        ) from None
    return documents


def _document(
    recipe: CorpusRecipe, line: str, number: int, path: Path, split: SplitRecipe
) -> Annotated:
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
            raise ValueError("place")
    except (ValueError, KeyError, TypeError):
        raise InputError(
            "E266",
            f"line {number} of '{path.name}' is no annotated document: it needs id, text and "
            "entities with label, start and end (in code points, end exclusive, inside the text)",
        ) from None
    part: PartName = part_of(text, split) if recipe.measured else "train"
    return Annotated(str(row["id"]), text, mentions, recipe.labels, recipe.repeat, part)


def examples_of(
    documents: Iterable[Annotated], nlp: Language, pieces: SubwordAligner
) -> list[Example]:
    """Cut documents into units and spell their mentions as tags: :func:`examples_in` of each."""
    found: list[Example] = []
    for document in documents:
        for example in examples_in(document, nlp(document.text), pieces):
            found += [example] * document.repeat
    return found


def examples_in(document: Annotated, doc: Doc, pieces: SubwordAligner) -> Iterator[Example]:
    """Cut a document into units and spell its mentions as tags.

    Parameters
    ----------
    document
        To be taught.
    doc
        Its words and sentences, as the pipeline finds them.
    pieces
        The encoder's tokenizer.

    Yields
    ------
    Example
        A mention that does not begin and end with words of one unit (2 in 1,000) cannot be
        spelt and is left out.
    """
    features = doc_features(doc)
    known = np.array([label in document.labels for label in LABELS])
    for unit in segment(doc, "sentence"):
        origin = doc[int(unit.tokens[0])].idx
        for begin in range(0, len(unit.tokens), _LONGEST):
            part = slice(begin, begin + _LONGEST)
            starts, ends = unit.starts[part], unit.ends[part]
            base = int(starts[0])
            text = unit.text[base : int(ends[-1])]
            read = pieces.read([text], [starts - base], [ends - base])[0]
            yield Example(
                np.array([*pieces.prefix, *read.ids, *pieces.suffix], dtype=np.int64),
                np.stack((read.first, read.last), axis=1).astype(np.int64) + len(pieces.prefix),
                features[unit.tokens[part]],
                _tags(document.mentions, starts + origin, ends + origin),
                known,
                text,
            )


def _tags(mentions: frozenset[Place], starts: Ints, ends: Ints) -> Ints:
    """Tags of every label for words at places of the document, int64 [words, labels]."""
    begins = {int(start): word for word, start in enumerate(starts)}
    closes = {int(end): word for word, end in enumerate(ends)}
    layers = []
    for label in LABELS:
        spans = [
            (begins[start], closes[end])
            for name, start, end in mentions
            if name == label and start in begins and end in closes
        ]
        layers.append(tags_of((s for s in spans if s[0] <= s[1]), len(starts)))
    return np.stack(layers, axis=1)
