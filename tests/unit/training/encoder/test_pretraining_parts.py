"""Tokenizer, first vectors, masks and schedule of pretraining."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from clinical_nlp.errors import InputError, UsageError
from clinical_nlp.training.encoder.initial_embeddings import first_vectors
from clinical_nlp.training.encoder.loop import rate_factor
from clinical_nlp.training.encoder.masking import masked_batches
from clinical_nlp.training.encoder.recipe import (
    MaskingRecipe,
    read_pretraining_recipe,
)
from clinical_nlp.training.encoder.text import read_texts
from clinical_nlp.training.encoder.tokenizer import MASK, SPECIAL, train_tokenizer

ROOT = Path(__file__).resolve().parents[4]
TEXT = "Paciente con disnea de esfuerzo, FEVI 35,5% y fibrilación auricular. DM2. "


def masking(**changes: object) -> MaskingRecipe:
    values: dict[str, object] = {
        "length": 16,
        "batch": 2,
        "masked": 4,
        "steps": 100,
        "warm_up": 10,
        "decay": 20,
        "matrix_rate": 1e-3,
        "other_rate": 1e-3,
        "matrix_decay": 0.0,
        "other_decay": 0.0,
        "precision": "float32",
        "seed": 3,
    }
    return MaskingRecipe(**(values | changes))  # type: ignore[arg-type]


def test_pieces_stop_where_words_do() -> None:
    tokenizer = train_tokenizer([TEXT] * 20, 400)
    encoded = tokenizer.backend_tokenizer.encode("FC80, DM2", add_special_tokens=False)
    borders = {place for offsets in encoded.offsets for place in offsets}
    assert {0, 2, 4, 5, 6, 8, 9} <= borders


def test_case_and_accents_are_one() -> None:
    tokenizer = train_tokenizer([TEXT] * 20, 400)
    spellings = ("fibrilación", "FIBRILACION", "ﬁbrilacio\u0301n", "fibri\u00adlacion")
    assert len({tuple(tokenizer(word)["input_ids"]) for word in spellings}) == 1


def test_like_words_get_like_vectors() -> None:
    random = np.random.default_rng(0)
    # 5 and 6 always stand between the same neighbours, 7 between others.
    parts = [[8, random.choice([5, 6]), 9] if random.random() < 0.5 else [10, 7, 11]
             for _ in range(3000)]  # fmt: skip
    stream = np.array([piece for part in parts for piece in part], dtype=np.int32)
    vectors = first_vectors(stream, 12, 4, window=1, smoothing=0.75, seed=0)
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    assert unit[5] @ unit[6] > 0.9
    assert unit[5] @ unit[7] < 0.5
    assert vectors.shape == (12, 4)


def test_words_are_hidden_whole_and_truth_is_kept() -> None:
    continues = np.array([False] * 30 + [True] * 10)
    stream = np.random.default_rng(1).integers(len(SPECIAL), 40, 4000).astype(np.int32)
    batches = masked_batches(stream, continues, masking())
    ids, places, truth = next(batches)
    assert ids.shape == (2, 16)
    assert places.shape == truth.shape == (2, 4)
    assert (truth >= len(SPECIAL)).all()
    hidden = np.concatenate([next(batches)[0].ravel() for _ in range(50)]) == MASK
    assert 0.15 < hidden.mean() < 0.25  # 0.8 of 4 in 16


def test_the_same_seed_gives_the_same_batches() -> None:
    stream = np.arange(5, 2005, dtype=np.int32)
    continues = np.zeros(2005, dtype=bool)
    one = [batch for batch, _ in zip(masked_batches(stream, continues, masking()), range(80))]  # noqa: B905
    two = [batch for batch, _ in zip(masked_batches(stream, continues, masking()), range(80))]  # noqa: B905
    assert all((a == b).all() for x, y in zip(one, two, strict=True)
               for a, b in zip(x, y, strict=True))  # fmt: skip


def test_the_rate_rises_stays_and_falls() -> None:
    recipe = masking()
    factors = [rate_factor(step, recipe) for step in range(recipe.steps)]
    assert factors[0] == 0.1
    assert factors[10:80] == [1.0] * 70
    assert factors[-1] < 0.1
    assert all(a >= b for a, b in pairwise(factors[80:]))


def test_the_shipped_recipe_is_read() -> None:
    recipe = read_pretraining_recipe(ROOT / "models/es-clinical-encoder/recipe.toml")
    assert recipe.shape.vocabulary == 16384
    assert "/" not in recipe.flat()["text"]


@pytest.mark.parametrize(
    ("text", "code"), [("[", "E120"), ("name = 'x'", "E121")], ids=["no TOML", "lacks parts"]
)
def test_a_bad_recipe_is_refused(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "recipe.toml").write_text(text)
    with pytest.raises(UsageError, match=code):
        read_pretraining_recipe(tmp_path / "recipe.toml")


@pytest.mark.parametrize("content", [b"", b"{}\n", b"\xff\n", b'["x"]\n'])
def test_a_bad_corpus_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "text.jsonl").write_bytes(content)
    with pytest.raises(InputError, match="E265"):
        read_texts(tmp_path / "text.jsonl")
