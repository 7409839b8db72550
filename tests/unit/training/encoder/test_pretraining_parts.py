"""Tokenizer, first vectors, masks and schedule of pretraining."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from clinical_nlp.errors import InputError, UsageError
from clinical_nlp.training.config import read_recipe
from clinical_nlp.training.encoder.initial_model import cooccurrence_embeddings
from clinical_nlp.training.encoder.masking import masked_batches
from clinical_nlp.training.encoder.recipe import DistilRecipe, MaskingRecipe, PretrainingRecipe
from clinical_nlp.training.encoder.text import read_texts
from clinical_nlp.training.encoder.tokenizer import MASK, SPECIAL, train_tokenizer
from clinical_nlp.training.torch.schedules import warmup_stable_decay

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


def test_train_tokenizer_tokens_end_where_words_end() -> None:
    tokenizer = train_tokenizer([TEXT] * 20, 400)
    encoded = tokenizer.backend_tokenizer.encode("FC80, DM2", add_special_tokens=False)
    borders = {place for offsets in encoded.offsets for place in offsets}
    assert {0, 2, 4, 5, 6, 8, 9} <= borders


def test_train_tokenizer_spellings_of_one_word_share_their_tokens() -> None:
    tokenizer = train_tokenizer([TEXT] * 20, 400)
    spellings = ("fibrilación", "FIBRILACION", "ﬁbrilacio\u0301n", "fibri\u00adlacion")
    assert len({tuple(tokenizer(word)["input_ids"]) for word in spellings}) == 1


def test_cooccurrence_embeddings_of_words_with_like_neighbours_are_alike() -> None:
    random = np.random.default_rng(0)
    # 5 and 6 always stand between the same neighbours, 7 between others.
    parts = [[8, random.choice([5, 6]), 9] if random.random() < 0.5 else [10, 7, 11]
             for _ in range(3000)]  # fmt: skip
    stream = np.array([piece for part in parts for piece in part], dtype=np.int32)
    vectors = cooccurrence_embeddings(stream, 12, 4, window=1, smoothing=0.75, seed=0)
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    assert unit[5] @ unit[6] > 0.9
    assert unit[5] @ unit[7] < 0.5
    assert vectors.shape == (12, 4)


def test_masked_batches_mask_eight_in_ten_and_keep_true_ids() -> None:
    continues = np.array([False] * 30 + [True] * 10)
    stream = np.random.default_rng(1).integers(len(SPECIAL), 40, 4000).astype(np.int32)
    batches = masked_batches(stream, continues, masking())
    ids, places, truth = next(batches)
    assert ids.shape == (2, 16)
    assert places.shape == truth.shape == (2, 4)
    assert (truth >= len(SPECIAL)).all()
    hidden = np.concatenate([next(batches)[0].ravel() for _ in range(50)]) == MASK
    assert 0.15 < hidden.mean() < 0.25  # 0.8 of 4 in 16


def test_masked_batches_same_seed_gives_the_same_batches() -> None:
    stream = np.arange(5, 2005, dtype=np.int32)
    continues = np.zeros(2005, dtype=bool)
    one = [batch for batch, _ in zip(masked_batches(stream, continues, masking()), range(80))]  # noqa: B905
    two = [batch for batch, _ in zip(masked_batches(stream, continues, masking()), range(80))]  # noqa: B905
    assert all((a == b).all() for x, y in zip(one, two, strict=True)
               for a, b in zip(x, y, strict=True))  # fmt: skip


def test_warmup_stable_decay_rises_stays_and_falls() -> None:
    factors = [warmup_stable_decay(step, 100, 10, 20) for step in range(100)]
    assert factors[0] == 0.1
    assert factors[10:80] == [1.0] * 70
    assert factors[-1] < 0.1
    assert all(a >= b for a, b in pairwise(factors[80:]))


def test_read_recipe_shipped_encoder_recipe_is_valid() -> None:
    recipe = read_recipe(ROOT / "models/es-clinical-encoder/recipe.toml", PretrainingRecipe)
    assert recipe.shape.vocabulary == 16384
    assert "/" not in recipe.flat()["text"]


def test_read_recipe_shipped_distillation_recipe_is_valid() -> None:
    recipe = read_recipe(ROOT / "models/es-clinical-encoder/distil.toml", DistilRecipe)
    assert recipe.flat()["text"] == "pretraining.es.jsonl.gz"


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("masking.masked=127", "masked must leave tokens of length unmasked"),
        ("masking.decay=8000", "warm_up and decay must fit into steps"),
        ("shape.heads=5", "hidden must be a multiple of heads"),
        ('masking.precision="half"', "'masking.precision' must be 'bfloat16' or 'float32'"),
    ],
)
def test_read_recipe_encoder_value_out_of_range_says_what_is_allowed(
    override: str, said: str
) -> None:
    with pytest.raises(UsageError, match="E121") as caught:
        read_recipe(ROOT / "models/es-clinical-encoder/recipe.toml", PretrainingRecipe, [override])
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "code"), [("[", "E120"), ("name = 'x'", "E121")], ids=["no TOML", "lacks parts"]
)
def test_read_recipe_bad_encoder_recipe_is_refused(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "recipe.toml").write_text(text)
    with pytest.raises(UsageError, match=code):
        read_recipe(tmp_path / "recipe.toml", PretrainingRecipe)


@pytest.mark.parametrize("content", [b"", b"{}\n", b"\xff\n", b'["x"]\n'])
def test_read_texts_bad_corpus_is_e265(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "text.jsonl").write_bytes(content)
    with pytest.raises(InputError, match="E265"):
        read_texts(tmp_path / "text.jsonl")
