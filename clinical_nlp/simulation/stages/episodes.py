"""Spells in which something shows: what is always there, what comes and goes, congestion.

Signs are drawn once for a spell and stay with it, so that those of congestion come together
and those of varicose veins come back at every visit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from random import Random
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.simulation.parameters import YEAR
from clinical_nlp.simulation.stages.life import Life, Spell
from clinical_nlp.simulation.stages.parameters import PACKAGE, StagesParameters

#: Causes of the heart among the episodes.
CARDIAC = frozenset({"congestion", "symptomatic", "advanced"})


@dataclass(frozen=True, slots=True)
class Episode:
    """A spell with its signs.

    Parameters
    ----------
    cause
        A key of ``signs.toml``, or ``congestion``.
    passing
        Comes and goes: it may bring the person to the doctor.
    mark
        Uniform number: treatment prevents congestion whose mark is high.
    """

    cause: str
    start: int
    end: int
    signs: frozenset[str]
    passing: bool
    mark: float = 0.0


@lru_cache(maxsize=1)
def sign_tables() -> dict[str, Any]:
    """Return ``signs.toml``."""
    return read_toml(PACKAGE, "signs.toml")


def draw_episodes(rng: Random, life: Life, p: StagesParameters, first: int) -> list[Episode]:
    """Draw every spell that reaches beyond ``first``, in order of start."""
    last = life.death or p.end.toordinal()
    episodes = [*_chronic(rng, life, first, last), *_passing(rng, life, first, last)]
    episodes += _congestion(rng, life, p, last)
    return sorted(
        (episode for episode in episodes if episode.end > first),
        key=lambda episode: (episode.start, episode.cause),
    )


def _signs(rng: Random, table: Mapping[str, float]) -> frozenset[str]:
    return frozenset(sign for sign, share in table.items() if rng.random() < share)


def _chronic(rng: Random, life: Life, first: int, last: int) -> Iterator[Episode]:
    for cause, table in sign_tables()["chronic"].items():
        spells: list[Spell] = life.spells.get(cause, [])
        if cause == "old_age":
            spells = [(life.birth + int(80 * YEAR), None)]
        for start, end in spells:
            signs = _signs(rng, table)
            if signs and start < last and (end is None or end > first):
                yield Episode(cause, start, min(end or last, last), signs, passing=False)


def _passing(rng: Random, life: Life, first: int, last: int) -> Iterator[Episode]:
    for cause, row in sign_tables()["episode"].items():
        spells = life.spells.get(row["needs"], []) if "needs" in row else [(first, None)]
        for begin, end in spells:
            day = float(max(begin, first))
            months = row.get("months", ())
            yearly = row["yearly"] * (2.0 if months else 1.0)
            while True:
                day += rng.expovariate(yearly) * YEAR
                if day >= min(end or last, last):
                    break
                # Out of season half are left out: thinning of a process twice as frequent.
                season = not months or date.fromordinal(int(day)).month in months
                if months and rng.random() > (1.0 if season else 0.5):
                    continue
                length = max(3, int(rng.expovariate(1 / row["days"])))
                signs = _signs(rng, row["signs"])
                yield Episode(cause, int(day), int(day) + length, signs, passing=True)


def _congestion(rng: Random, life: Life, p: StagesParameters, last: int) -> Iterator[Episode]:
    """Yield the congested spells: on and off in turn, oftener in stage D."""
    onset = life.began("symptomatic")
    if onset is None:
        return
    table, yearly = sign_tables()["congestion"][life.pattern], p.disease["congested_yearly"]
    day = float(onset) if rng.random() < 0.5 else onset + rng.expovariate(1 / 120)
    while day < last:
        length = rng.expovariate(p.disease["relief_yearly"]) * YEAR
        end = int(day + 4 + length)
        yield Episode("congestion", int(day), end, _signs(rng, table), True, rng.random())
        stage = "advanced" if life.has("advanced", end) else "symptomatic"
        day = end + rng.expovariate(yearly[stage]) * YEAR
