"""Unlabelled text, and its tokens in one row."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from clinical_nlp.errors import InputError
from clinical_nlp.training.encoder.tokenizer import LAST

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

Ints = npt.NDArray[np.int32]


def read_texts(path: Path) -> list[str]:
    """Read the texts of a JSON lines file, plain or ``.gz``, whose rows have a "text".

    Raises
    ------
    InputError
        E265: the file cannot be read, or a row has no text.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as lines:
            texts = [str(json.loads(line)["text"]) for line in lines if line.strip()]
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            "E265",
            f"the corpus '{path}' cannot be read ({type(error).__name__}): it must be JSON "
            'lines, plain or .gz, whose rows have a "text"; check the path in the recipe',
        ) from None
    if not texts:
        raise InputError("E265", f"the corpus '{path}' is empty: check the path in the recipe")
    return texts


def token_stream(texts: list[str], tokenizer: PreTrainedTokenizerFast) -> Ints:
    """Token ids of all texts in a row, int32 [tokens], ``[SEP]`` after each text."""
    encodings = tokenizer.backend_tokenizer.encode_batch(texts, add_special_tokens=False)
    return np.concatenate([np.asarray([*e.ids, LAST], dtype=np.int32) for e in encodings])
