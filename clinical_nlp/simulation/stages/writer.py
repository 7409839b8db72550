"""From a contact of the second simulator to its note."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from random import Random
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.simulation.grammar import Grammar, flatten, some_of
from clinical_nlp.simulation.identity import Identity
from clinical_nlp.simulation.rng import pick_weighted, stream
from clinical_nlp.simulation.stages.care import Care, Contact
from clinical_nlp.simulation.stages.clauses import Clauses
from clinical_nlp.simulation.stages.layouts import layouts
from clinical_nlp.simulation.stages.life import Life
from clinical_nlp.simulation.stages.parameters import PACKAGE, StagesParameters
from clinical_nlp.simulation.stages.person import Person
from clinical_nlp.simulation.stages.treatments import Medication

#: Clinicians at work.
_STAFF = 140
#: Slots that a layout may name beside the parts; a line of these alone is no line.
_KNOWN = ("age", "nhc")
_PART = re.compile(r"\{(\w+)\}")
_TWO_STOPS = re.compile(r"(?<!\.)\.\.(?!\.)")
_UNACCENTED = str.maketrans("áéíóúÁÉÍÓÚ", "aeiouAEIOU")


@dataclass(frozen=True, slots=True)
class StagedNote:
    """A note's text, its language, and the signs that it states."""

    text: str
    language: str
    affirmed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hand:
    """How one clinician writes.

    Parameters
    ----------
    tells
        Factor of the share of signs that are written down: some write hardly any.
    denies
        Chance of writing what is not there.
    plain, lower
        Leaves accents out; begins with small letters.
    """

    layouts: Mapping[str, str]
    tells: float
    denies: float
    plain: bool
    lower: bool


@cache
def staged_grammar(language: str, share: float = 1.0, staff: str = "") -> Grammar:
    """Return the second grammar in ``es`` or ``ca``, compiled once: what a staff knows of it."""
    rules: dict[str, list[str]] = {}
    for name in ("topics", "phrases") if language == "es" else (language,):
        rules.update(flatten(_file(name)))
    if share < 1.0:
        rules = {name: some_of(texts, share, staff, name) for name, texts in rules.items()}
    return Grammar(rules, None if language == "es" else staged_grammar("es", share, staff))


def _file(name: str) -> dict[str, Any]:
    return read_toml(PACKAGE, f"notes/{name}.toml")


@lru_cache(maxsize=4096)
def hand(number: int, staff: str = "") -> Hand:
    """Return how a clinician writes: the same one in every simulation of a service."""
    rng = stream("staged hand", staff, number)
    chosen = {}
    for kind in ("gp", "nurse", "phone", "home", "urgent", "hospital"):
        fitting = [
            (row["name"], row["weight"]) for row in layouts()["layout"] if kind in row["kinds"]
        ]
        chosen[kind] = pick_weighted(rng, fitting)
    return Hand(
        layouts=chosen,
        tells=0.25 if rng.random() < 0.2 else 0.7 + 0.5 * rng.random(),
        denies=rng.random() ** 2,
        plain=rng.random() < 0.2,
        lower=rng.random() < 0.3,
    )


class NoteWriter:
    """Writes the notes of one person."""

    def __init__(
        self,
        people: tuple[Life, Person, Identity],
        medications: Sequence[Medication],
        p: StagesParameters,
    ) -> None:
        self._life, self._person, self._identity = people
        self._p = p
        self._medications = medications

    def write(self, rng: Random, contact: Contact, care: Care) -> StagedNote:
        """Write the note of one contact, with a stream of its own."""
        person, kind = self._person, contact.kind
        own = kind not in ("urgent", "hospital") and rng.random() < 0.7
        number = (person.doctor if own else int(rng.random() * _STAFF)) % _STAFF
        writer = hand(number, self._p.staff)
        other = kind != "hospital" and rng.random() < person.language_share
        language = person.language if other else "es"
        row = next(row for row in layouts()["layout"] if row["name"] == writer.layouts[kind])
        clauses = Clauses(
            rng=rng,
            grammar=staged_grammar(language, self._p.phrases, self._p.staff),
            contact=contact,
            life=self._life,
            care=care,
            medications=self._medications,
            slots=self._slots(contact),
            tells=writer.tells * (0.3 if person.stoic else 1.0),
            denies=writer.denies,
        )
        parts = clauses.parts(row["lines"]) | {name: [clauses.slots[name]] for name in _KNOWN}
        text = _lay_out(row, parts, lower=writer.lower and kind != "hospital")
        return StagedNote(
            text.translate(_UNACCENTED) if writer.plain else text,
            language,
            tuple(sorted(clauses.affirmed)),
        )

    def _slots(self, contact: Contact) -> dict[str, str]:
        female, identity = self._life.female, self._identity
        slots = {
            "age": str(int(self._life.age(contact.day))),
            "o": "a" if female else "o",
            "a": "a" if female else "",
            "at": "ada" if female else "at",
            "relative": identity.relation,
            "relation_given": f"su {identity.relation}",
            "nhc": identity.nhc,
            "kind_of_failure": "reducida" if self._life.reduced else "conservada",
            "lvef": "58",
        }
        for name, value in {**contact.vitals, **contact.labs}.items():
            slots[name] = f"{value:g}".replace(".", ",")
        if "nt_probnp" in contact.labs:
            slots["nt_probnp"] = str(int(contact.labs["nt_probnp"]))
        return slots


def _lay_out(row: Mapping[str, Any], parts: Mapping[str, Sequence[str]], lower: bool) -> str:
    """Fill the lines of a layout; a line none of whose parts is there is dropped."""
    out: list[str] = []
    for line in row["lines"]:
        names = _PART.findall(line)
        wanted = [name for name in names if name not in _KNOWN]
        if wanted and not any(parts.get(name) for name in wanted):
            continue
        # A part that is missing takes the punctuation after it along.
        for name in names:
            if not parts.get(name):
                line = re.sub(rf"\{{{name}\}}[.:]? ?", "", line)
        text = _PART.sub(lambda match: row["clause"].join(parts[match[1]]), line)
        text = _TWO_STOPS.sub(".", text.strip())
        out.append(text if lower or not text else text[0].upper() + text[1:])
    return str(row["join"]).join(out)
