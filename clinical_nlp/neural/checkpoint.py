"""An encoder's checkpoint: a folder with ``config.json``, safetensors and a fast tokenizer.

Pickled weights and code that comes with a model are never loaded: both can run anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clinical_nlp.artifacts import digest_of, file_digest
from clinical_nlp.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.h5", "*.msgpack")
_DECISIVE_FILES = frozenset(
    {"config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"}
)

#: Weights that an encoder may lack: they follow its last layer and are not used here.
_UNUSED = ("pooler.", "lm_head.", "head.", "decoder.", "classifier.")

#: Encoders whose first positions are taken by the padding id (RoBERTa, fairseq's habit).
_OFFSET_POSITIONS = frozenset({"roberta", "xlm-roberta", "camembert", "roberta-prelayernorm"})

#: What is wrong with a checkpoint's files, by error code.
_ERRORS = {
    "E441": "has weights that are missing, truncated or damaged: fetch it again with "
    "'clinical-nlp models fetch', or copy it again",
    "E442": "has pickled weights only, which can run code when they are loaded: take a revision "
    "with model.safetensors, or convert it on a machine without patient data",
    "E444": "has no fast tokenizer that can be read: its folder needs the tokenizer.json that "
    "belongs to the weights",
    "E449": "has weights that do not fill the encoder that its config.json describes: it is "
    "another model's file; fetch or copy it again",
}


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint on this machine; its parts are loaded on access.

    Attributes
    ----------
    reference
        Name of a shipped model, path, or hub id, as given.
    folder
        Its folder.
    """

    reference: str
    folder: Path

    @cached_property
    def digest(self) -> str:
        """Hex SHA-256 over the files that the encoder's output depends on."""
        names = [
            path.name
            for path in sorted(self.folder.iterdir())
            if path.suffix == ".safetensors"
            or path.name in _DECISIVE_FILES
            or path.name.endswith(".safetensors.index.json")
        ]
        return digest_of({name: file_digest(self.folder / name) for name in names})

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Content of ``config.json``.

        Raises
        ------
        ModelError
            E441: it is missing or no JSON. E443: it asks for code of its own.
        """
        try:
            settings = json.loads((self.folder / "config.json").read_text("utf-8"))
            kind = settings["model_type"]
        except (OSError, ValueError, KeyError, TypeError):
            raise ModelError(
                "E441",
                f"the checkpoint '{self.reference}' has no readable config.json with a "
                "model_type: give a folder that save_pretrained wrote, or fetch it again",
            ) from None
        from transformers.models.auto.configuration_auto import CONFIG_MAPPING

        if kind not in CONFIG_MAPPING:
            raise ModelError(
                "E443",
                f"the checkpoint '{self.reference}' is of the kind '{kind}', which transformers "
                "has no code for, and code that comes with a model is never run: choose a "
                "ModernBERT, RoBERTa, XLM-R or BERT encoder",
            )
        return dict(settings)

    @cached_property
    def window(self) -> int:
        """Pieces that the encoder can read at once, special ones included."""
        places = int(self.settings.get("max_position_embeddings", 512))
        if self.settings["model_type"] in _OFFSET_POSITIONS:
            places -= int(self.settings.get("pad_token_id", 1)) + 1
        return places

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerFast:
        """The checkpoint's fast tokenizer.

        Raises
        ------
        ModelError
            E444: it has none that can be read.
        """
        from transformers import AutoTokenizer, PreTrainedTokenizerFast

        _ = self.settings
        try:
            tokenizer = AutoTokenizer.from_pretrained(
                self.folder, use_fast=True, local_files_only=True, trust_remote_code=False
            )
        except Exception as error:
            # The tokenizers library raises bare Exceptions on a broken tokenizer.json.
            raise self._error("E444") from error
        if not isinstance(tokenizer, PreTrainedTokenizerFast):
            raise self._error("E444")
        return tokenizer

    def model(self) -> PreTrainedModel:
        """Load the encoder in float32 and evaluation mode.

        Returns
        -------
        transformers.PreTrainedModel
            Without a head; a new one at each call.

        Raises
        ------
        ModelError
            E441: the weights are missing, truncated or damaged. E442: they are pickled.
            E443: it is no encoder that transformers knows. E449: they do not fill the
            shape that ``config.json`` gives.
        """
        import torch
        from safetensors import SafetensorError
        from transformers import AutoModel

        _ = self.settings
        if not any(self.folder.glob("*.safetensors")):
            is_pickled = any(path for kind in _PICKLES for path in self.folder.glob(kind))
            raise self._error("E442" if is_pickled else "E441")
        try:
            with _quietly():
                model, report = AutoModel.from_pretrained(
                    self.folder,
                    dtype=torch.float32,
                    use_safetensors=True,
                    local_files_only=True,
                    trust_remote_code=False,
                    output_loading_info=True,
                )
        except (SafetensorError, OSError, EOFError) as error:
            raise self._error("E441") from error
        except (ValueError, RuntimeError, KeyError, TypeError) as error:
            raise self._error("E449") from error
        missing = [name for name in report["missing_keys"] if not name.startswith(_UNUSED)]
        if missing or report["mismatched_keys"]:
            raise self._error("E449")
        loaded: PreTrainedModel = model.eval()
        return loaded

    def _error(self, code: str) -> ModelError:
        return ModelError(code, f"the checkpoint '{self.reference}' {_ERRORS[code]}")


@contextmanager
def _quietly() -> Iterator[None]:
    """Silence transformers' progress bars and its list of unused weights of the head."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
