"""Invented names, identifiers and addresses, as a real export carries them."""

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


def draw_identity(rng: Random, female: bool, age: float) -> Identity:
    """Draw an identity; who comes along depends on the age in years."""
    names = _names()
    first, second, third = (pick(rng, names["surnames"]) for _ in range(3))
    partner = ("marido", "men") if female else ("mujer", "women")
    relation, sex = pick(rng, (partner, partner, *(_ELDERLY if age > 66 else _YOUNGER)))
    return Identity(
        given=pick(rng, names["women" if female else "men"]),
        surnames=f"{first} {second}",
        cip=f"ZZZZ{int(rng.random() * 1e10):010d}",
        nhc=f"X{int(rng.random() * 1e7):07d}",
        phone=f"700{int(rng.random() * 1e6):06d}",
        street=f"{pick(rng, names['streets'])}, {1 + int(rng.random() * 90)}",
        town=pick(rng, names["towns"]),
        relation=relation,
        relative=pick(rng, names[sex]),
        doctor=third,
    )
