"""One sentence as the engine sees it: normalised words, and where its targets are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spacy.tokens import Doc

from clinical_nlp.pipeline.assertion.graph import Target
from clinical_nlp.pipeline.assertion.phrases import TARGET

_FULL_STOPS = frozenset(".?!")


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words of a sentence without white space, and its targets in order of place.

    ``targets`` count places in ``words``; ``Target.index`` is the place in the caller's
    list. ``words`` has :data:`~clinical_nlp.pipeline.assertion.phrases.TARGET` for each
    word of a target.
    """

    words: Sequence[str]
    targets: Sequence[Target]


def bounds(doc: Doc) -> list[int]:
    """First token of every sentence, and the doc's length at the end.

    Without sentence annotation, full stops and line breaks end a sentence.
    """
    if doc.has_annotation("SENT_START"):
        flags = doc.to_array("SENT_START")
        starts = [int(i) for i in (flags == 1).nonzero()[0] if i]
    else:
        starts = [
            token.i + 1
            for token in doc[:-1]
            if token.text in _FULL_STOPS or (token.is_space and "\n" in token.text)
        ]
    return [0, *starts, len(doc)]


def sentences(
    doc: Doc, spans: Sequence[tuple[int, int]], kinds: Sequence[str]
) -> Iterator[Sentence]:
    """Yield the sentences that hold targets.

    Parameters
    ----------
    doc
        The note.
    spans
        Targets as token places (start, end exclusive), any order.
    kinds
        Their kinds.
    """
    order = sorted(range(len(spans)), key=lambda i: spans[i])
    edges = bounds(doc)
    sentence = 0
    at = 0
    while at < len(order):
        first = spans[order[at]][0]
        while edges[sentence + 1] <= first:
            sentence += 1
        low, high = edges[sentence], edges[sentence + 1]
        words: list[str] = []
        place: list[int] = []
        for token in doc[low:high]:
            place.append(len(words))
            norm = token.norm_
            if norm and not norm.isspace():
                words.append(norm)
        targets = []
        while at < len(order) and spans[order[at]][0] < high:
            start, end = spans[order[at]]
            begin = place[start - low]
            stop = place[end - low] if end < high else len(words)
            stop = max(stop, begin + 1)
            targets.append(Target(begin, stop, kinds[order[at]], order[at]))
            words[begin:stop] = [TARGET] * (stop - begin)
            at += 1
        yield Sentence(words, targets)
