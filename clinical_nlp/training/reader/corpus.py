"""Annotated notes as the rules read them, and the examples that are cut from them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from spacy.language import Language
from spacy.tokens import Doc

from clinical_nlp.errors import InputError
from clinical_nlp.evaluation.annotated_notes import AnnotatedNote, Annotation
from clinical_nlp.evaluation.markup import read_marked_notes
from clinical_nlp.neural.reader.files import CONTEXT
from clinical_nlp.neural.segments import segment
from clinical_nlp.neural.subwords import SubwordAligner
from clinical_nlp.pipeline.assertion import EsAssertion
from clinical_nlp.pipeline.document import get_findings
from clinical_nlp.pipeline.reader.features import Vocabulary, Words, word_features
from clinical_nlp.records import FLAGS, Finding
from clinical_nlp.training.encoder.text import read_lines

Ints = npt.NDArray[np.int64]

#: A word's concept if it is not annotated: it adds nothing to the loss.
UNKNOWN = -100

#: A flag that is not annotated.
NOT_ANNOTATED = -1.0

#: Hand of the passages with given targets.
TARGETS = "targets"


@dataclass(frozen=True)
class ReadNote:
    """An annotated note and what the rules found in it.

    Attributes
    ----------
    hand
        Who wrote it.
    doc
        With the rules' findings, or the targets with the rules' flags.
    findings
        The rules' findings.
    gold
        The annotations.
    has_concepts
        False for passages whose targets alone were annotated.
    """

    id: str
    hand: str
    language: str
    doc: Doc
    findings: tuple[Finding, ...]
    gold: tuple[Annotation, ...]
    has_concepts: bool = True


@dataclass(frozen=True, slots=True)
class Target:
    """A span whose flags are trained: words ``first`` to ``stop`` of an example.

    ``flags`` are 0, 1, or -1 where not annotated.
    """

    first: int
    stop: int
    flags: tuple[float, ...]
    found_by_rules: bool


@dataclass(frozen=True, slots=True)
class Example:
    """A segment of a note to train on.

    Attributes
    ----------
    ids
        Pieces with the special ones, int64 [pieces].
    bounds
        First and last piece of each word in ``ids``, int64 [words, 2].
    features
        int64 [words, 5].
    concepts
        Number of the concept annotated on each word, 0 for none, -100 where unknown;
        int64 [words].
    targets
        Spans whose flags are trained.
    """

    ids: Ints
    bounds: Ints
    features: Ints
    concepts: Ints
    targets: tuple[Target, ...]


def find_note_files(patterns: Iterable[str], base: Path) -> list[Path]:
    """Files of marked-up notes, by name.

    Raises
    ------
    InputError
        E265: a pattern matches no file.
    """
    files: list[Path] = []
    for pattern in patterns:
        found = sorted(base.glob(pattern))
        if not found:
            raise InputError(
                "E265",
                f"there is no file '{pattern}' beside the recipe: correct 'notes' in it",
            )
        files.extend(found)
    return files


def read_notes(files: Sequence[Path], nlp: Language) -> Iterator[ReadNote]:
    """Read marked-up notes with the rules; the hand is the file's name without its ending."""
    for file in files:
        notes = list(read_marked_notes(file.read_text("utf-8")))
        docs = nlp.pipe(note.text for note in notes)
        for note, doc in zip(notes, docs, strict=True):
            yield ReadNote(
                note.id, file.stem, note.language, doc, get_findings(doc), note.annotations
            )


def read_targets(path: Path, nlp: Language) -> Iterator[ReadNote]:
    """Read passages with given targets; the rules say how each is asserted.

    Raises
    ------
    InputError
        E265: the file cannot be read. E266: a row is not such a passage.
    """
    assertion = nlp.get_pipe("es_assertion")
    assert isinstance(assertion, EsAssertion)  # noqa: S101 - the rules' pipeline has it
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            gold = tuple(_target(target) for target in row["targets"])
            name, text = str(row["id"]), str(row["text"])
        except (ValueError, KeyError, TypeError):
            raise InputError(
                "E266",
                f"line {number} of '{path.name}' has no id, text and targets with start and end: "
                "correct it, or leave 'targets' out of the recipe",
            ) from None
        doc = nlp(text)
        spans = [(target.start, target.end) for target in gold]
        found = tuple(
            Finding(start, end, text[start:end], "", *(getattr(said, flag) for flag in FLAGS))
            for (start, end), said in zip(spans, assertion.flags(doc, spans), strict=True)
        )
        yield ReadNote(name, TARGETS, "es", doc, found, gold, has_concepts=False)


def _target(row: dict[str, object]) -> Annotation:
    return Annotation.from_row(row, all_flags=False)


def make_examples(
    notes: Iterable[ReadNote], vocabulary: Vocabulary, aligner: SubwordAligner
) -> list[Example]:
    """Cut notes into examples."""
    return [example for note in notes for example in _examples(note, vocabulary, aligner)]


def _examples(note: ReadNote, vocabulary: Vocabulary, aligner: SubwordAligner) -> Iterator[Example]:
    words = Words(note.doc)
    features = word_features(note.doc, words, note.findings, vocabulary)
    concepts = _concepts(note, words, vocabulary)
    targets = [t for t in _targets(note, words) if t.first < t.stop]
    begin = 0
    for part in segment(note.doc, CONTEXT):
        end = begin + len(part.tokens)
        read = aligner.read([part.text], [part.starts], [part.ends])[0]
        bounds = np.stack((read.first, read.last), axis=1).astype(np.int64)
        yield Example(
            np.array([*aligner.prefix, *read.ids, *aligner.suffix], dtype=np.int64),
            bounds + len(aligner.prefix),
            features[begin:end],
            concepts[begin:end],
            tuple(
                replace(t, first=t.first - begin, stop=min(t.stop, end) - begin)
                for t in targets
                if begin <= t.first < end
            ),
        )
        begin = end


def _concepts(note: ReadNote, words: Words, vocabulary: Vocabulary) -> Ints:
    """Concept of every word, measurements on their numbers."""
    if not note.has_concepts:
        return np.full(len(words), UNKNOWN, dtype=np.int64)
    concepts = np.zeros(len(words), dtype=np.int64)
    for mark in note.gold:
        number = vocabulary.concepts.get(mark.concept or "", UNKNOWN)
        concepts[slice(*words.span(mark.start, mark.end))] = number
    return concepts


def _targets(note: ReadNote, words: Words) -> Iterator[Target]:
    """Spans with gold flags: the rules' findings that are annotated, then what they missed."""
    pairs = pair_with_gold(note)
    paired = {index for index in pairs if index is not None}
    for finding, index in zip(note.findings, pairs, strict=True):
        if index is not None and finding.value is None:
            span = words.span(finding.start, finding.end)
            yield Target(*span, gold_flags(note.gold[index]), True)
    for index, mark in enumerate(note.gold):
        if index not in paired and mark.value is None:
            yield Target(*words.span(mark.start, mark.end), gold_flags(mark), False)


def pair_with_gold(note: ReadNote) -> list[int | None]:
    """For each of the rules' findings the annotation of the same concept that it overlaps."""
    if not note.has_concepts:
        return list(range(len(note.gold)))
    pairs: list[int | None] = []
    used: set[int] = set()
    for finding in note.findings:
        pair = next(
            (
                index
                for index, mark in enumerate(note.gold)
                if index not in used
                and mark.concept == finding.concept
                and mark.start < finding.end
                and finding.start < mark.end
            ),
            None,
        )
        pairs.append(pair)
        if pair is not None:
            used.add(pair)
    return pairs


def gold_flags(mark: Annotation) -> tuple[float, ...]:
    """The five flags, -1 where not annotated."""
    named = dict(mark.flags)
    return tuple(float(named[name]) if name in named else NOT_ANNOTATED for name in FLAGS)


def gold_note(note: ReadNote) -> AnnotatedNote:
    """The annotations alone, as the scores take them."""
    return AnnotatedNote(note.id, note.doc.text, note.language, note.gold)
