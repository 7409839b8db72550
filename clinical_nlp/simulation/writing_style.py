"""Clinicians' habits: how each of them writes."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

from clinical_nlp.simulation.grammar import read_notes_file
from clinical_nlp.simulation.rng import stream

#: Clinicians at work in the simulated area, by the kind of contact they answer.
STAFF = {"gp": 60, "nurse": 40, "phone": 60, "home": 60, "urgent": 25, "hospital": 20}
_STRIP = str.maketrans("áéíóúÁÉÍÓÚ", "aeiouAEIOU")
_SHORT = {
    "con": "c/",
    "para": "p/",
    "por": "x",
    "que": "q",
    "desde": "dsd",
    "días": "d",
    "semanas": "sem",
    "meses": "m",
    "derecha": "dcha",
    "izquierda": "izda",
    "también": "tb",
    "tratamiento": "tto",
    "paciente": "pte",
    "dolor": "dol",
    "control": "ctrol",
    "noche": "noxe",
    "revisión": "rev",
    "medicación": "medic",
}
_SHORT_RE = re.compile(r"\b(" + "|".join(_SHORT) + r")\b")
_WORD = re.compile(r"[a-záéíóúñ]{6,}")

#: Share of the notes that an old system has wrapped, spaced or ended in its own way.
_MACHINE = 0.06


@dataclass(frozen=True, slots=True)
class WritingStyle:
    """One clinician's way of writing.

    Parameters
    ----------
    layout
        The favourite layout.
    plain
        Chance that a note has no accents.
    short
        Chance that each long common word is abbreviated.
    slips
        Mean number of typing slips in a note.
    shouts
        Writes in capitals.
    wordy
        Chance of each optional sentence, about 1.
    """

    layout: dict[str, Any]
    plain: float
    short: float
    slips: float
    shouts: bool
    wordy: float

    def finish(self, dice: Random, text: str) -> str:
        """Give a clean text this clinician's hand."""
        if dice.random() < self.short:
            text = _SHORT_RE.sub(lambda m: _SHORT[m[1]] if dice.random() < 0.5 else m[1], text)
        if dice.random() < self.plain:
            text = text.translate(_STRIP)
        if self.slips and dice.random() < self.slips:
            text = _slip(dice, text)
            if dice.random() < self.slips / 2:
                text = _slip(dice, text)
        if self.shouts:
            text = text.upper()
        if dice.random() < _MACHINE:
            text = _by_machine(dice, text)
        return text


def _by_machine(dice: Random, text: str) -> str:
    """Treat a text as old record systems do: fixed lines, doubled spaces, DOS line ends."""
    kind = dice.random()
    if kind < 0.4:
        width = 60 + int(dice.random() * 20)
        return "\n".join(
            part for line in text.split("\n") for part in (textwrap.wrap(line, width) or [""])
        )
    if kind < 0.7:
        return text.replace(". ", ".  ")
    return text.replace("\n", "\r\n")


def _slip(dice: Random, text: str) -> str:
    """Swap, drop or double one letter inside one long word."""
    words = list(_WORD.finditer(text))
    if not words:
        return text
    word = words[int(dice.random() * len(words))]
    at = word.start() + 1 + int(dice.random() * (word.end() - word.start() - 3))
    kind = dice.random()
    if kind < 0.4:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if kind < 0.75:
        return text[:at] + text[at + 1 :]
    return text[:at] + text[at] + text[at:]


@lru_cache(maxsize=1)
def layouts() -> tuple[dict[str, Any], ...]:
    """Return the layouts of ``layouts.toml``."""
    return tuple(read_notes_file("layouts.toml")["layout"])


@lru_cache(maxsize=4096)
def scribe(kind: str, number: int) -> WritingStyle:
    """Return the habits of one clinician: the same person in every simulation."""
    dice = stream("scribe", kind, number)
    fitting = [layout for layout in layouts() if kind in layout["kinds"]] or [layouts()[0]]
    layout = dice.choices(fitting, [entry["weight"] for entry in fitting])[0]
    careful = dice.random()
    return WritingStyle(
        layout=layout,
        plain=0.75 if careful < 0.3 else 0.04,
        short=0.8 if dice.random() < 0.3 else 0.05,
        slips=0.05 + 0.5 * dice.random() ** 2,
        shouts=dice.random() < 0.035,
        wordy=0.6 + 0.8 * dice.random(),
    )
