"""A tiny reader, trained once for all tests that need one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tiny_reader import write_reader_recipe
from tiny_training import Bench


@pytest.fixture(scope="session")
def reader_bench(
    bench: Bench, cli: Callable[..., object], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with a corpus, recipe.toml, and the reader trained by it in reader/."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("reader-bench")
    write_reader_recipe(folder, bench.folder / "encoder")
    arguments = ("--config", "recipe.toml", "--out", "reader", "--threads", "1")
    cli("train", "reader", *arguments, cwd=folder)
    return folder
