"""A tiny encoder and a tiny mention model, trained once for all tests that need them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny_training import Bench, make_bench


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A folder with a tiny encoder and a corpus, and a recipe over them."""
    torch.set_num_threads(1)
    return make_bench(tmp_path_factory.mktemp("bench"))


@pytest.fixture(scope="session")
def tiny_model(bench: Bench) -> Path:
    """Folder of a tiny mention model that has learnt the invented documents."""
    from clinical_nlp.training.ner.shipping import write_mention_folder
    from clinical_nlp.training.ner.train import train_mentions

    trained = train_mentions(bench.recipe, base_folder=bench.folder, work=bench.folder / "run")
    assert trained.measures is not None
    assert trained.measures.strict["micro"].f1 > 0.8
    write_mention_folder(trained, bench.folder / "mentions")
    return bench.folder / "mentions"
