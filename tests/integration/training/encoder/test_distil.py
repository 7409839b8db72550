"""Distillation of a tiny encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_training import Killed

from clinical_nlp.neural.locate import find_checkpoint
from clinical_nlp.training.encoder.distil import distil
from clinical_nlp.training.encoder.recipe import DistilRecipe
from clinical_nlp.training.sentences import load_sentence_pipeline


def test_distil_killed_and_resumed_lowers_the_distance(bench: Any, tmp_path: Path) -> None:
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast.from_pretrained(bench.folder / "encoder" / "model")
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    teacher = BertModel(BertConfig(vocab_size=len(tokenizer), intermediate_size=32, **shape))
    teacher.save_pretrained(tmp_path / "teacher")
    tokenizer.save_pretrained(tmp_path / "teacher")
    student = str(bench.folder / "encoder")
    recipe = DistilRecipe(
        name="tiny",
        student=student,
        text="",
        steps=40,
        batch=8,
        warm_up=4,
        matrix_rate=1e-2,
        other_rate=1e-2,
        matrix_decay=0.0,
        other_decay=0.0,
        seed=0,
    )

    def kill(step: int, loss: float) -> None:
        if step == 15:
            raise Killed

    arguments = (
        recipe,
        str(tmp_path / "teacher"),
        bench.folder / "all.jsonl",
        tmp_path / "out",
        tmp_path / "work",
        load_sentence_pipeline(),
    )
    with pytest.raises(Killed):
        distil(*arguments, on_step=kill, save_every=10)
    made = distil(*arguments, save_every=10)
    assert len(made.losses) == 40
    assert sum(made.losses[-5:]) < 0.7 * sum(made.losses[:5])
    assert find_checkpoint(str(tmp_path / "out")).model().config.hidden_size == 16
