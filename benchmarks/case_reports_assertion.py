"""Assertion of given mentions in real case reports, by our own marks.

    python benchmarks/case_reports_assertion.py FOLDER_OF_CORPORA [--no-reader]

The marks (``tests/regression/assertion/case_reports.jsonl``: places and flags, no text) were
set for this project by one annotator who had not seen the rules, on gold mentions of CardioCCC
and SPACCC. Documents that were marked whole are an unbiased sample; in the others only passages
of past history and of differential diagnosis were marked. Mentions that hold their cue inside
("sin edemas") are left out.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from pathlib import Path

import clinical_nlp
from clinical_nlp.batch.note_rows import assert_row
from clinical_nlp.evaluation.annotated_notes import AnnotatedNote, Annotation
from clinical_nlp.evaluation.finding_scores import compare_targets as compare
from clinical_nlp.evaluation.measures import score_all

MARKS = Path(__file__).parent.parent / "tests/regression/assertion/case_reports.jsonl"
FLAGS = {"n": "negated", "u": "uncertain", "h": "historical"}


def corpus_texts(folder: Path) -> dict[str, str]:
    """Texts of the two corpora by id."""
    texts = {}
    for name in ("cardioccc.train", "spaccc"):
        with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            texts.update((row["id"], row["text"]) for row in map(json.loads, lines))
    return texts


def main() -> None:
    """Score both parts and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="folder of cardioccc.train and spaccc")
    parser.add_argument("--no-reader", action="store_true", help="the rules alone")
    arguments = parser.parse_args()
    texts = corpus_texts(arguments.folder)
    nlp = clinical_nlp.load(reader=not arguments.no_reader)
    parts: dict[bool, list[dict[str, tuple[int, int, int]]]] = {True: [], False: []}
    for row in map(json.loads, MARKS.read_text(encoding="utf-8").splitlines()):
        spans = [(start, end) for start, end, _ in row["targets"]]
        targets = [{"start": start, "end": end} for start, end in spans]
        asked = {"id": row["id"], "text": texts[row["id"]], "targets": targets}
        said = assert_row(nlp, asked)["targets"]
        gold = [
            Annotation(s, e, None, None, tuple((name, key in flags) for key, name in FLAGS.items()))
            for s, e, flags in row["targets"]
        ]
        found = [
            Annotation(s, e, None, None, tuple((name, f[name]) for name in FLAGS.values()))
            for (s, e), f in zip(spans, said, strict=True)
        ]
        made = [AnnotatedNote(row["id"], "", "", tuple(marks)) for marks in (gold, found)]
        parts[row["whole"]].append(compare(*made).measures)
    for whole, heading in ((True, "documents marked whole"), (False, "selected passages")):
        rows = [f"| {heading} | precision | recall | F1 | 95% interval | gold | found |"]
        rows.append("| --- |" + " ---: |" * 6)
        for name, s in score_all(parts[whole]).items():
            share = name == "affirmed wrongly flagged"
            figures = (
                ("", f"{s.recall:.3f}", "", "")
                if share
                else (
                    f"{s.precision:.3f}",
                    f"{s.recall:.3f}",
                    f"{s.f1:.3f}",
                    f"{s.low:.3f}–{s.high:.3f}",
                )
            )
            rows.append("| " + " | ".join((name, *figures, str(s.gold), str(s.predicted))) + " |")
        sys.stdout.write("\n".join(rows) + "\n\n")


if __name__ == "__main__":
    main()
