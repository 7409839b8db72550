"""Unlabelled text, and its tokens in one row."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from transformers import PreTrainedTokenizerFast

from clinical_nlp.errors import InputError
from clinical_nlp.training.encoder.tokenizer import LAST

Ints = npt.NDArray[np.int32]


def read_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a JSON lines file, plain or ``.gz``.

    Raises
    ------
    InputError
        E265: the file cannot be read.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as lines:
            yield from lines
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None


def read_texts(path: Path) -> list[str]:
    """Read the texts of a JSON lines file whose rows have a "text".

    Raises
    ------
    InputError
        E265: the file cannot be read, or a row has no text.
    """
    try:
        texts = [str(json.loads(line)["text"]) for line in read_lines(path) if line.strip()]
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable(path, error) from None
    if not texts:
        raise InputError("E265", f"the corpus '{path}' is empty: check the path in the recipe")
    return texts


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(
        "E265",
        f"the corpus '{path}' cannot be read ({type(error).__name__}): it must be JSON "
        'lines, plain or .gz, whose rows have a "text"; check the path in the recipe',
    )


def token_stream(texts: list[str], tokenizer: PreTrainedTokenizerFast) -> Ints:
    """Token ids of all texts in a row, int32 [tokens], ``[SEP]`` after each text."""
    encodings = tokenizer.backend_tokenizer.encode_batch(texts, add_special_tokens=False)
    return np.concatenate([np.asarray([*e.ids, LAST], dtype=np.int32) for e in encodings])
