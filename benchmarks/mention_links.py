"""How well mentions link to the catalogue by likeness: letters, vectors, and both.

    python benchmarks/mention_links.py FOLDER_OF_CORPORA [--encoder NAME] [--coded]

Two things are measured. The catalogue against itself: a phrase of each Spanish term is asked
for with the term left out; right is the term's concept. And what must stay NIL: gold mentions
of CardioCCC in whose place the lexicon found nothing. A few of these do name a concept in
words that the lexicon lacks, so that not every link among them is wrong.

For each way the least score and margin are chosen on half of the concepts and half of the
documents, by a hash of their names: at most 1% of the mentions linked, 95% of the terms that
are linked rightly so, and as many terms linked as that allows. The other halves are reported.

``--coded`` reads CodiEsp with the shipped settings: coded evidence found without the links and
with them, and how many links in its place are of the code's family.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import clinical_nlp
from clinical_nlp.evaluation import codes
from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.pipeline.document import get_findings, set_mentions
from clinical_nlp.pipeline.mentions import MentionLinks
from clinical_nlp.pipeline.mentions.linking import SIMILARITY
from clinical_nlp.pipeline.mentions.links import LinkSettings
from clinical_nlp.pipeline.mentions.similarity import Nearest
from clinical_nlp.records import Mention

MOST_NIL, LEAST_PRECISION = 0.01, 0.95
MARGINS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25)
WAYS = {"letters": 0.0, "vectors": 1.0, "both, vectors 0.3": 0.3, "both, vectors 0.5": 0.5}


@dataclass(frozen=True)
class Asked:
    """Phrases with the categories they may name, and the halves they belong to."""

    texts: list[str]
    categories: list[tuple[str, ...]]
    tuning: list[bool]
    concepts: list[str]
    terms: list[int]


def tunes(name: str) -> bool:
    """Whether what bears this name belongs to the half for choosing."""
    return zlib.crc32(name.encode()) % 2 == 0


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a corpus."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def own_terms(links: MentionLinks) -> Asked:
    """One phrase of each Spanish term that names a concept by itself."""
    terms = load_lexicon().terms
    groups = set(links.knowledge.categories.values())
    asked = Asked([], [], [], [], [])
    for phrase in links.knowledge.phrases:
        if not phrase.concept or terms[phrase.term].language != "es" or phrase.negated:
            continue
        if asked.terms and asked.terms[-1] == phrase.term:
            continue
        asked.texts.append(phrase.text)
        asked.categories.append(next(g for g in groups if phrase.category in g))
        asked.tuning.append(tunes(phrase.concept))
        asked.concepts.append(phrase.concept)
        asked.terms.append(phrase.term)
    return asked


def outside(links: MentionLinks, path: Path) -> Asked:
    """Each different gold mention of a corpus that no finding of the lexicon touches."""
    nlp = clinical_nlp.load()
    found: dict[tuple[str, str], bool] = {}
    for row in rows(path):
        doc = nlp(row["text"])
        places = [(e["label"], e["start"], e["end"]) for e in row["entities"]]
        set_mentions(doc, [Mention(s, e, doc.text[s:e], label, 1.0) for label, s, e in places])
        for _, text, label in links.candidates(doc):
            found.setdefault((text, label), tunes(row["id"]))
    categories = [links.knowledge.categories[label] for _, label in found]
    return Asked([text for text, _ in found], categories, list(found.values()), [], [])


def choose(terms: Sequence[tuple[Nearest, str]], nil: Sequence[Nearest]) -> tuple[float, float]:
    """Least score and margin that link most terms within the bounds."""
    best = (0, 1.01, 0.0)
    for margin in MARGINS:
        scores = sorted((n.score for n in nil if is_link(n, 0, margin)), reverse=True)
        allowed = int(MOST_NIL * len(nil))
        floor = scores[allowed] + 1e-4 if len(scores) > allowed else 0.0
        for score in [floor + step / 100 for step in range(40)]:
            linked = [n.known.concept == c for n, c in terms if is_link(n, score, margin)]
            if linked and sum(linked) >= LEAST_PRECISION * len(linked):
                best = max(best, (sum(linked), round(score, 2), margin))
                break
    return best[1], best[2]


def is_link(nearest: Nearest, score: float, margin: float) -> bool:
    """Whether a phrase is linked."""
    like = nearest.score >= score and nearest.margin >= margin
    return like and nearest.known.concept != ""


def of_half(values: Iterable[Any], halves: Iterable[bool], tuning: bool) -> list[Any]:
    """The values of one half."""
    return [value for value, half in zip(values, halves, strict=True) if half == tuning]


def compare_ways(folder: Path, encoder: str) -> None:
    """Print a row for each way to measure likeness."""
    made = clinical_nlp.load(mentions=True, link="similarity").get_pipe("mention_links")
    if not isinstance(made, MentionLinks):
        sys.exit("the pipeline links no mentions")
    knowledge = made.knowledge
    terms, mentions = own_terms(made), outside(made, folder / "cardioccc.train.jsonl.gz")
    print(f"{len(knowledge.phrases)} phrases; {len(terms.texts)} terms asked for;")
    print(f"{len(mentions.texts)} different mentions outside the catalogue.\n")
    heading = ("likeness", "nearest is right", "least score", "least margin", "terms linked")
    print("| " + " | ".join((*heading, "rightly", "mentions linked")) + " |")
    print("| --- |" + " ---: |" * 6)
    for name, weight in WAYS.items():
        settings = replace(LinkSettings(), encoder=encoder, encoder_weight=weight)
        catalogue = MentionLinks(settings, knowledge).catalogue
        near = catalogue.nearest(terms.texts, terms.categories, terms.terms)
        asked = list(zip(near, terms.concepts, strict=True))
        nil = catalogue.nearest(mentions.texts, mentions.categories)
        score, margin = choose(
            of_half(asked, terms.tuning, True), of_half(nil, mentions.tuning, True)
        )
        told, rest = of_half(asked, terms.tuning, False), of_half(nil, mentions.tuning, False)
        linked = [n.known.concept == c for n, c in told if is_link(n, score, margin)]
        wrong = sum(is_link(n, score, margin) for n in rest)
        cells = (
            f"{sum(n.known.concept == c for n, c in told) / len(told):.3f}",
            f"{score:.2f}",
            f"{margin:.2f}",
            f"{len(linked) / len(told):.3f}",
            f"{sum(linked) / max(len(linked), 1):.3f}",
            f"{wrong / len(rest):.4f}",
        )
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def coded(folder: Path) -> None:
    """Print what the links do to coded evidence, by halves of the cases."""
    families = codes.families(load_lexicon().concepts.values())
    nlp = clinical_nlp.load(mentions=True, link="similarity")
    cases = [codes.coded_case(row) for row in rows(folder / "codiesp.jsonl.gz")]
    print("| cases | marks | found without | found with | links | on a mark | of its family |")
    print("| --- |" + " ---: |" * 6)
    counts = {half: [0] * 6 for half in (codes.Half.TUNE, codes.Half.REPORT)}
    for case, doc in zip(cases, nlp.pipe([c.text for c in cases], batch_size=32), strict=True):
        findings = get_findings(doc)
        made = [f for f in findings if f.source.startswith(SIMILARITY)]
        without = [(f.start, f.end, f.concept) for f in findings if f not in made]
        links = [(f.start, f.end, f.concept) for f in made]
        half = codes.Half.TUNE if codes.Half.TUNE.holds(case.id) else codes.Half.REPORT
        count = counts[half]
        for found, gold in codes.found_in(case, without, families).values():
            count[0], count[1] = count[0] + gold, count[1] + found
        for found, _ in codes.found_in(case, [*without, *links], families).values():
            count[2] += found
        for start, end, concept in links:
            marks = [
                codes.family(code)
                for code, places in case.evidence
                if any(start < b and a < end for a, b in places)
            ]
            right = any(concept in families.get(name, ()) for name in marks)
            count[3:] = [count[3] + 1, count[4] + bool(marks), count[5] + right]
    for half, count in counts.items():
        print(f"| {half.value} | " + " | ".join(map(str, count)) + " |")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="folder of cardioccc.train and codiesp")
    parser.add_argument("--encoder", default=LinkSettings().encoder, help="whose vectors")
    parser.add_argument("--coded", action="store_true", help="read the coded cases instead")
    arguments = parser.parse_args()
    if arguments.coded:
        coded(arguments.folder)
    else:
        compare_ways(arguments.folder, arguments.encoder)


if __name__ == "__main__":
    main()
