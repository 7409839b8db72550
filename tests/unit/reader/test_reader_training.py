"""Examples, what is hidden of them, the loss, and the choice of thresholds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from spacy.language import Language

from clinical_nlp.errors import InputError, UsageError
from clinical_nlp.neural.reader.decode import BEST, BEST_SCORE, OUTSIDE, decode
from clinical_nlp.neural.reader.network import FLAG_COUNT, FLAGS_UNKNOWN, MEASURED
from clinical_nlp.pipeline.reader.decision import DecisionRule, Names
from clinical_nlp.pipeline.reader.features import CONCEPT, MARK, Words
from clinical_nlp.training.config import read_recipe
from clinical_nlp.training.reader.batches import collate, has_concepts, hide, of_epoch
from clinical_nlp.training.reader.confusions import flag_confusions
from clinical_nlp.training.reader.corpus import (
    UNKNOWN,
    Example,
    Target,
    find_note_files,
    gold_flags,
    pair_with_gold,
    read_notes,
)
from clinical_nlp.training.reader.loop import span_means
from clinical_nlp.training.reader.readings import Reading
from clinical_nlp.training.reader.recipe import DropRecipe, ReaderRecipe
from clinical_nlp.training.reader.tuning import tune

SHIPPED = Path(__file__).parents[3] / "models" / "reader" / "recipe.toml"


def drops(**shares: float) -> DropRecipe:
    names = ("pieces", "target", "finding", "flags", "concept", "segment")
    return DropRecipe(**{name: shares.get(name, 0.0) for name in names})


def example(concepts: list[int] | None = None) -> Example:
    """Four words of one piece each; the second is a finding, the last a measured value."""
    features = np.zeros((4, 5), dtype=np.int64)
    features[1, MARK], features[1, CONCEPT], features[3, MARK] = 5, 7, MEASURED
    return Example(
        np.array([2, 10, 11, 12, 13, 3]),
        np.array([[1, 1], [2, 2], [3, 3], [4, 4]]),
        features,
        np.array(concepts or [0, 7, 0, 9]),
        (Target(1, 2, (1.0, 0.0, 0.0, 0.0, -1.0), True),),
    )


def test_special_pieces_are_never_masked() -> None:
    random = np.random.default_rng(0)
    seen = [hide(example(), drops(pieces=0.99), 4, random).ids for _ in range(20)]
    assert all(ids[0] == 2 and ids[-1] == 3 for ids in seen)
    assert any((ids == 4).any() for ids in seen)


def test_left_out_finding_leaves_no_trace() -> None:
    hidden = hide(example(), drops(finding=0.999), 4, np.random.default_rng(0))
    assert not hidden.features[:, [MARK, CONCEPT]].any()
    assert hidden.targets == example().targets


def test_untold_flags_keep_the_concept() -> None:
    hidden = hide(example(), drops(flags=0.999), 4, np.random.default_rng(0))
    assert hidden.features[1, MARK] == FLAGS_UNKNOWN
    assert hidden.features[1, CONCEPT] == 7


def test_masked_pieces_are_to_be_guessed() -> None:
    whole = example()
    hidden = hide(whole, drops(target=0.999), 4, np.random.default_rng(0))
    batch = collate([hidden], 0, 0.5, [whole])
    assert batch.masked.tolist() == [[UNKNOWN, UNKNOWN, 11, UNKNOWN, UNKNOWN, UNKNOWN]]


def test_passages_without_concepts_are_drawn_and_weighed() -> None:
    passage = example([UNKNOWN] * 4)
    assert not has_concepts(passage)
    drawn = of_epoch([passage] * 1000 + [example()], 0.25, np.random.default_rng(0))
    assert 200 < len(drawn) < 300
    assert has_concepts(drawn[-1])
    assert collate([passage], 0, 0.5).weights.tolist() == [0.5]


def test_span_means_are_means_over_words() -> None:
    rows = torch.arange(24, dtype=torch.float32).view(2, 4, 3)
    means = span_means(rows, torch.tensor([[0, 1, 3], [1, 0, 1]]))
    assert torch.allclose(means, torch.stack([rows[0, 1:3].mean(0), rows[1, 0]]))


def test_decoded_word_has_its_likeliest_concept() -> None:
    logits = np.zeros((1, 1, FLAG_COUNT + 4), dtype=np.float32)
    logits[0, 0, FLAG_COUNT + 2] = 5.0
    row = decode(logits, np.array([1], dtype=np.int32))[0, 0]
    assert row[BEST] == 2
    assert row[OUTSIDE] + row[BEST_SCORE] < 1


def test_notes_are_paired_with_their_annotations(nlp: Language, tmp_path: Path) -> None:
    path = tmp_path / "hand.txt"
    text = "{{Disnea|dyspnea}}, {{tos|cough|hist}}. Ortopnea. FC {{88|heart_rate=88}}.\n"
    path.write_text(f"=== n1 | x | es\n{text}", "utf-8")
    (note,) = read_notes([path], nlp)
    assert note.hand == "hand"
    pairs = dict(zip([f.concept for f in note.findings], pair_with_gold(note), strict=True))
    assert pairs == {"dyspnea": 0, "cough": 1, "orthopnea": None, "heart_rate": 2}
    assert gold_flags(note.gold[1]) == (0.0, 0.0, 1.0, 0.0, 0.0)


def test_pattern_without_notes_raises_e265(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="E265"):
        find_note_files(["*.txt"], tmp_path)


def test_tuned_rule_follows_the_reader_where_the_rules_err(nlp: Language, tmp_path: Path) -> None:
    path = tmp_path / "hand.txt"
    words = "Pues {{disnea|dyspnea|neg}} jamás de los jamases."
    rows = [f"=== n{number} | x | es\n{words}\n" for number in range(30)]
    path.write_text("\n".join(rows), "utf-8")
    readings = []
    for note in read_notes([path], nlp):
        words = Words(note.doc)
        said = np.full((len(words), FLAG_COUNT + 3), -4.0, dtype=np.float32)
        said[:, OUTSIDE], said[:, BEST], said[:, BEST_SCORE] = 0.2, 1, 0.2
        said[:, 0] = 4.0
        readings.append(Reading(note, words, said))
    rule = tune(readings, Names(["dyspnea"], {}))
    assert rule.flags[0].probability(4.0) > 0.9
    assert rule.flags[1].probability(-4.0) < 0.1
    assert rule.found > 0.2


def test_flag_confusions_count_rules_and_reader_apart(nlp: Language, tmp_path: Path) -> None:
    path = tmp_path / "hand.txt"
    path.write_text("=== n1 | x | es\nPues {{disnea|dyspnea|neg}} jamás de los jamases.\n", "utf-8")
    (note,) = read_notes([path], nlp)
    words = Words(note.doc)
    said = np.full((len(words), FLAG_COUNT + 3), -4.0, dtype=np.float32)
    said[:, 0] = 4.0
    counts = flag_confusions([Reading(note, words, said)], DecisionRule())
    rules_say = "set rightly" if note.findings[0].negated else "missed"
    assert counts[f"rules negated {rules_say}"] == 1
    assert counts["reader negated set rightly"] == 1
    assert counts["reader family left rightly"] == 1
    assert sum(counts.values()) == 2 * FLAG_COUNT


def test_shipped_recipe_names_every_hand_once() -> None:
    recipe = read_recipe(SHIPPED, ReaderRecipe)
    hands = sorted(hand for fold in recipe.folds for hand in fold)
    assert hands == sorted(path.stem for path in find_note_files(recipe.notes, SHIPPED.parent))


def test_hand_in_two_folds_raises_e121(tmp_path: Path) -> None:
    text = SHIPPED.read_text("utf-8").replace('["i", "p"', '["t", "i", "p"')
    (tmp_path / "recipe.toml").write_text(text, "utf-8")
    with pytest.raises(UsageError, match="E121"):
        read_recipe(tmp_path / "recipe.toml", ReaderRecipe)


def test_default_rule_is_plain() -> None:
    assert DecisionRule.from_dict(DecisionRule().as_dict()) == DecisionRule()
