"""Pretraining of a tiny encoder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tiny_training import Killed, same

from clinical_nlp.training.encoder.pretrain import pretrain


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model" / "model.safetensors")


def test_pretrain_killed_and_resumed_gives_the_same_weights(bench: Any, tmp_path: Path) -> None:
    text = bench.folder / "all.jsonl"

    def kill(step: int, loss: float) -> None:
        if step == 6:
            raise Killed

    arguments = (bench.encoder_recipe, text, tmp_path / "out", tmp_path / "work")
    whole = (bench.encoder_recipe, text, tmp_path / "whole", tmp_path / "begun")
    with pytest.raises(Killed):
        pretrain(*arguments, on_step=kill, save_every=2)
    # The tokenizer's trainer breaks ties by chance: both runs get the same one.
    shutil.copytree(tmp_path / "work" / "tokenizer", tmp_path / "begun" / "tokenizer")
    pretrain(*whole)
    steps: list[int] = []
    pretrain(*arguments, on_step=lambda step, loss: steps.append(step), save_every=2)
    assert steps[0] == 5  # four steps were saved
    assert same(weights(tmp_path / "out"), weights(tmp_path / "whole"))
    assert not (tmp_path / "work").exists()
