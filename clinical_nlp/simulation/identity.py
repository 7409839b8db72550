"""Invented names, identifiers and addresses: what a real export carries and must not leak."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from random import Random

from clinical_nlp.simulation.grammar import read_notes_file
from clinical_nlp.simulation.rng import pick


@dataclass(frozen=True, slots=True)
class Identity:
    """One invented person's particulars.

    Parameters
    ----------
    given, surnames
        Name; ``surnames`` holds two words, as in Spain.
    cip, nhc
        Health-card and record numbers, in shapes that no Spanish service issues.
    phone
        Nine digits from the range ``7 00 …``, which is not assigned to subscribers.
    relation, relative, doctor
        Who comes along ("hija"), that person's given name, and a doctor's surname: people
        whom the notes mention.
    """

    given: str
    surnames: str
    cip: str
    nhc: str
    phone: str
    street: str
    town: str
    relation: str
    relative: str
    doctor: str


_YOUNGER = (("hermana", "women"), ("hermano", "men"), ("madre", "women"))
_ELDERLY = (
    ("hija", "women"),
    ("hija", "women"),
    ("hijo", "men"),
    ("hermana", "women"),
    ("nuera", "women"),
    ("nieta", "women"),
    ("cuidadora", "women"),
)


@lru_cache(maxsize=1)
def _names() -> dict[str, tuple[str, ...]]:
    return {key: tuple(values) for key, values in read_notes_file("names.toml").items()}


def invent(dice: Random, female: bool, age: float) -> Identity:
    """Draw an identity; who comes along depends on the age in years."""
    names = _names()
    first, second, third = (pick(dice, names["surnames"]) for _ in range(3))
    partner = ("marido", "men") if female else ("mujer", "women")
    relation, sex = pick(dice, (partner, partner, *(_ELDERLY if age > 66 else _YOUNGER)))
    return Identity(
        given=pick(dice, names["women" if female else "men"]),
        surnames=f"{first} {second}",
        cip=f"ZZZZ{int(dice.random() * 1e10):010d}",
        nhc=f"X{int(dice.random() * 1e7):07d}",
        phone=f"700{int(dice.random() * 1e6):06d}",
        street=f"{pick(dice, names['streets'])}, {1 + int(dice.random() * 90)}",
        town=pick(dice, names["towns"]),
        relation=relation,
        relative=pick(dice, names[sex]),
        doctor=third,
    )
