"""How each simulated clinician writes: layout, abbreviations, accents, typing errors."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

from clinical_nlp.simulation.grammar import read_notes_file
from clinical_nlp.simulation.habits import WritingHabits
from clinical_nlp.simulation.rng import stream

#: Clinicians at work in the simulated area, by the kind of contact they answer.
STAFF = {"gp": 60, "nurse": 40, "phone": 60, "home": 60, "urgent": 25, "hospital": 20}
_STRIP = str.maketrans("áéíóúÁÉÍÓÚ", "aeiouAEIOU")
_ABBREVIATIONS: dict[str, str] = read_notes_file("abbreviations.toml")
_ABBREVIATION_RE = re.compile(r"\b(" + "|".join(_ABBREVIATIONS) + r")\b")
_WORD = re.compile(r"[a-záéíóúñ]{6,}")

#: Share of the notes whose lines or spaces an old record system has changed.
_REFORMATTED_SHARE = 0.06


@dataclass(frozen=True, slots=True)
class WritingStyle:
    """One clinician's way of writing.

    Parameters
    ----------
    layout
        The usual layout, an entry of ``layouts.toml``.
    unaccented_rate
        Probability that a note has no accents.
    abbreviation_rate
        Probability that a note abbreviates (half of the common long words).
    typo_rate
        Probability of a typing error in a note; of a second one, half of that.
    all_caps
        Writes in capitals.
    verbosity
        Factor of the probability of each optional sentence, about 1.
    """

    layout: dict[str, Any]
    unaccented_rate: float
    abbreviation_rate: float
    typo_rate: float
    all_caps: bool
    verbosity: float

    def apply(self, rng: Random, text: str) -> str:
        """Return a clean text as this clinician would have typed it."""
        if rng.random() < self.abbreviation_rate:
            text = _ABBREVIATION_RE.sub(
                lambda m: _ABBREVIATIONS[m[1]] if rng.random() < 0.5 else m[1], text
            )
        if rng.random() < self.unaccented_rate:
            text = text.translate(_STRIP)
        if self.typo_rate and rng.random() < self.typo_rate:
            text = _add_typo(rng, text)
            if rng.random() < self.typo_rate / 2:
                text = _add_typo(rng, text)
        if self.all_caps:
            text = text.upper()
        if rng.random() < _REFORMATTED_SHARE:
            text = _reformat(rng, text)
        return text


def _reformat(rng: Random, text: str) -> str:
    """Change a text as old record systems do: fixed lines, doubled spaces, DOS line ends."""
    kind = rng.random()
    if kind < 0.4:
        width = 60 + int(rng.random() * 20)
        return "\n".join(
            part for line in text.split("\n") for part in (textwrap.wrap(line, width) or [""])
        )
    if kind < 0.7:
        return text.replace(". ", ".  ")
    return text.replace("\n", "\r\n")


def _add_typo(rng: Random, text: str) -> str:
    """Swap, drop or double one letter inside one long word."""
    words = list(_WORD.finditer(text))
    if not words:
        return text
    word = words[int(rng.random() * len(words))]
    at = word.start() + 1 + int(rng.random() * (word.end() - word.start() - 3))
    kind = rng.random()
    if kind < 0.4:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if kind < 0.75:
        return text[:at] + text[at + 1 :]
    return text[:at] + text[at] + text[at:]


@lru_cache(maxsize=1)
def layouts() -> tuple[dict[str, Any], ...]:
    """Return the layouts of ``layouts.toml``."""
    return tuple(read_notes_file("layouts.toml")["layout"])


@lru_cache(maxsize=8192)
def writing_style(kind: str, number: int, habits: WritingHabits) -> WritingStyle:
    """Return the style of one clinician: the same person in every simulation of a service."""
    staff = (habits.staff,) if habits.staff else ()
    rng, preferred = stream("scribe", *staff, kind, number), dict(habits.layouts)
    fitting = [layout for layout in layouts() if kind in layout["kinds"]] or [layouts()[0]]
    weights = [entry["weight"] * preferred.get(entry["name"], 1.0) for entry in fitting]
    layout = rng.choices(fitting, weights)[0]
    careful = rng.random()
    return WritingStyle(
        layout=layout,
        unaccented_rate=(0.75 if careful < 0.3 else 0.04) * habits.unaccented,
        abbreviation_rate=(0.8 if rng.random() < 0.3 else 0.05) * habits.abbreviated,
        typo_rate=(0.05 + 0.5 * rng.random() ** 2) * habits.typos,
        all_caps=rng.random() < 0.035,
        verbosity=(0.6 + 0.8 * rng.random()) * habits.verbosity,
    )
