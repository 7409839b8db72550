"""Commas that separate the items of an enumeration, as against those that end a statement.

ConText ends a scope at a word. In Spanish notes a negation runs through a list and ends at
the comma that does not continue the list:

    niega disnea, ortopnea y edemas
    no fiebre, dolor torácico ni palpitaciones
    no fiebre, acude por disnea

A comma separates items if what follows it, up to the next comma, is short and holds none of
the words that open a clause, and if the row of such items is closed by *ni*, *o* or *y*;
after *niega* it may also run unclosed to the end of the sentence.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from clinical_nlp.matching.cues import TARGET
from clinical_nlp.pipeline.assertion.sentence import Sentence

_CLOSERS = frozenset(("ni", "o", "u", "nin", "ou", "y", "e", "i", "edo", "eta"))
_NOR = frozenset(("ni", "nin"))  # these close a list after a comma, too: 'no A, B, ni C'
_ENDS = frozenset((";", ":", ".", "(", ")"))
_LONGEST_ITEM = 7
_LONGEST_ASIDE = 8


def item_commas(sentence: Sentence, breakers: frozenset[str], runners: frozenset[str]) -> set[int]:
    """Return the places of the commas that separate items of one enumeration."""
    words = sentence.words
    commas = [i for i, word in enumerate(words) if word == ","]
    if not commas:
        return set()
    running = any(word in runners for word in words[: commas[0]])
    kept: set[int] = set()
    row: list[int] = []  # commas of the enumeration that is open
    for n, comma in enumerate(commas):
        stop = commas[n + 1] if n + 1 < len(commas) else len(words)
        item, closed, ended = _item(words, comma + 1, stop, breakers)
        if item:
            row.append(comma)
        if ended or not item:
            if running or (item and closed):
                kept.update(row)
            row = []
    if running:
        kept.update(row)
    return kept


def asides(sentence: Sentence, carriers: frozenset[str], cues: Set[int]) -> set[int]:
    """Return the places of brackets around asides that an enumeration runs over.

    'No refiere disnea (tampoco de noche), edemas ni ángor': what follows the bracket goes
    on. An aside with a finding or a cue of its own ends the list, unless it opens with a
    word such as *ni*.
    """
    words = sentence.words
    if "(" not in words:
        return set()
    kept: set[int] = set()
    opened = -1
    for place, word in enumerate(words):
        if word == "(":
            opened = place
        elif word == ")" and opened >= 0:
            follows = words[place + 1] if place + 1 < len(words) else ""
            within = words[opened + 1 : place]
            held = TARGET in within or any(opened < cue < place for cue in cues)
            alone = not held or (bool(within) and within[0] in carriers)
            if alone and len(within) <= _LONGEST_ASIDE and (follows == "," or follows in _CLOSERS):
                kept.update((opened, place))
            opened = -1
    return kept


def _item(
    words: Sequence[str], start: int, stop: int, breakers: frozenset[str]
) -> tuple[bool, bool, bool]:
    """Whether words are an item of a list, close the list, and end the statement."""
    for place in range(start, stop):
        word = words[place]
        if word in _CLOSERS and (place > start or word in _NOR):
            return place - start <= _LONGEST_ITEM, True, True
        if word in _ENDS:
            return place - start <= _LONGEST_ITEM, False, True
        if word in breakers or word[0].isdigit():
            return False, False, True
    return stop - start <= _LONGEST_ITEM, False, False
