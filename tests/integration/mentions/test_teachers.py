"""What teachers believe, and that a student learns it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clinical_nlp.errors import ModelError, UsageError
from clinical_nlp.neural.tagger.labels import LABELS
from clinical_nlp.training.ner import teachers as module
from clinical_nlp.training.ner.corpus import Annotated, read_corpus
from clinical_nlp.training.ner.recipe import TeachersRecipe, read_mentions_recipe
from clinical_nlp.training.ner.teachers import Teachers
from clinical_nlp.training.ner.train import train_mentions, word_cutter

MEDICATION = LABELS.index("MEDICATION")


def unlabelled(*texts: str) -> list[Annotated]:
    return [Annotated(str(n), t, frozenset(), (), 1, "train") for n, t in enumerate(texts)]


def test_teachers_stand_in_for_a_layer_that_was_not_annotated(
    bench: Any, tiny_model: Path, tmp_path: Path
) -> None:
    teachers = Teachers.load([tiny_model / "model", tiny_model / "model"])
    corpus = bench.recipe.corpora[1]
    documents = read_corpus(corpus, bench.folder / corpus.path, bench.recipe.split)
    tokenizer = teachers.models[0].tokenizer
    examples = teachers.examples(documents, word_cutter(), tokenizer, tmp_path / "store")
    assert all(e.known.tolist() == [True, True, True, False] for e in examples)
    drug = next(e for e in examples if "En tratamiento con bisoprolol" in e.text)
    assert drug.beliefs is not None
    assert drug.beliefs.shape == (len(drug.places), len(LABELS), 5)
    assert np.allclose(drug.beliefs.astype(float).sum(-1), 1, atol=1e-2)
    believed = drug.beliefs[:, MEDICATION].argmax(-1).tolist()
    assert believed[3] != 0
    assert believed[0] == 0


def test_what_is_known_or_was_read_is_not_asked(
    bench: Any, tiny_model: Path, tmp_path: Path
) -> None:
    teachers = Teachers.load([tiny_model / "model"])
    tokenizer = teachers.models[0].tokenizer
    texts = ("Refiere tos desde ayer. Come bien.", "Come bien. Duerme mal.")
    examples = teachers.examples(
        unlabelled(*texts),
        word_cutter(),
        tokenizer,
        tmp_path / "store",
        without=frozenset({"Duerme mal."}),
    )
    assert [e.text for e in examples] == ["Refiere tos desde ayer.", "Come bien."]


def test_an_answer_is_kept(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teachers = Teachers.load([tiny_model / "model"])
    tokenizer = teachers.models[0].tokenizer
    arguments = (unlabelled("Refiere tos."), word_cutter(), tokenizer, tmp_path / "store")
    first = teachers.examples(*arguments)
    monkeypatch.setattr(module._Reader, "believe", lambda *_: pytest.fail("asked again"))
    again = teachers.examples(*arguments)
    assert np.array_equal(first[0].beliefs, again[0].beliefs)
    kept = [path.read_bytes() for path in (tmp_path / "store").iterdir()]
    assert kept
    assert not any(b"Refiere" in content for content in kept)


def test_a_teacher_may_read_other_pieces(bench: Any, tiny_model: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    teachers = Teachers.load([tiny_model / "model"])
    other = AutoTokenizer.from_pretrained(tiny_model / "model")
    other.add_tokens(["esfuerzo desde"])
    texts = unlabelled("Refiere disnea de esfuerzo desde ayer.")
    same = teachers.examples(texts, word_cutter(), teachers.models[0].tokenizer, tmp_path / "one")
    another = teachers.examples(texts, word_cutter(), other, tmp_path / "two")
    assert len(another[0].ids) < len(same[0].ids)
    assert np.array_equal(same[0].beliefs, another[0].beliefs)


def test_a_student_learns_from_teachers_and_goes_on_after_them(
    bench: Any, tiny_model: Path, tmp_path: Path
) -> None:
    text = tmp_path / "text.jsonl"
    rows = [json.loads(line) for line in (bench.folder / "all.jsonl").read_text().splitlines()]
    text.write_text(
        "".join(json.dumps({"text": "Hoy: " + row["text"]}) + "\n" for row in rows), "utf-8"
    )
    taught = TeachersRecipe((str(tiny_model / "model"),), str(text), 0.5)
    recipe = replace(bench.recipe, teachers=taught)
    seen: list[tuple[int, int]] = []
    student = train_mentions(
        recipe,
        base_folder=bench.folder,
        work=tmp_path / "run",
        on_document=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(20, 20), (60, 60)]
    assert student.measures is not None
    assert student.measures.strict["micro"].f1 > 0.8
    assert (tmp_path / "run.beliefs").is_dir()


def test_teachers_that_are_wrong_are_refused(bench: Any, tmp_path: Path, toml: Any) -> None:
    (tmp_path / "empty").mkdir()
    taught = TeachersRecipe((str(tmp_path / "empty"),), str(bench.folder / "all.jsonl"))
    with pytest.raises(ModelError, match="E461"):
        train_mentions(
            replace(bench.recipe, teachers=taught), base_folder=bench.folder, work=tmp_path / "run"
        )
    config = toml(bench, tmp_path / "recipe.toml")
    whole = config.read_text("utf-8")
    config.write_text(whole + '[teachers]\nmodels = ["a", "b"]\ntext = "t"\n', "utf-8")
    recipe = read_mentions_recipe(config)
    assert recipe.teachers == TeachersRecipe(("a", "b"), "t", 1.0)
    assert recipe.flat()["teachers.models"] == "a b"
    config.write_text(whole + '[teachers]\nmodels = []\ntext = "t"\n', "utf-8")
    with pytest.raises(UsageError, match="E121"):
        read_mentions_recipe(config)


def test_training_goes_on_from_a_mention_model(
    bench: Any, tiny_model: Path, tmp_path: Path
) -> None:
    """One short pass over other documents does not forget what was learnt."""
    from clinical_nlp.neural.tagger.model import load_mention_model

    fit = replace(bench.recipe.fit, epochs=1, matrix_rate=1e-4, head_rate=1e-4, keep="last")
    head = replace(bench.recipe.head, hidden=8, dropout=0.2)
    recipe = replace(bench.recipe, fit=fit, head=head, start=str(tiny_model / "model"))
    began = load_mention_model(tiny_model / "model")
    trained = train_mentions(recipe, base_folder=bench.folder, work=tmp_path / "run")
    assert trained.base == began.digest
    assert trained.model.tagger.head == replace(began.tagger.head, dropout=0.2)
    assert trained.measures is not None
    assert trained.measures.strict["micro"].f1 > 0.8
