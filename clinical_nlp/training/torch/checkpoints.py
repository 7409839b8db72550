"""The saved state of a training run, so that a killed run resumes where it was.

Tensors are kept as safetensors and numbers as JSON; nothing is pickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clinical_nlp.artifacts import replace_folder
from clinical_nlp.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

_TENSORS = "state.safetensors"
_NUMBERS = "state.json"


@dataclass(frozen=True)
class TrainingCheckpoint:
    """Where a run's state is kept, and which run it belongs to.

    Parameters
    ----------
    folder
        Replaced as a whole: a kill while saving leaves the earlier state.
    identity
        Recipe and digests of the run. A state of another identity is refused.
    every
        Steps between two saved states.
    """

    folder: Path
    identity: Mapping[str, Any]
    every: int = 100

    def save(
        self,
        module: nn.Module,
        optimisers: Sequence[Optimizer],
        extra: Mapping[str, Tensor],
        progress: Mapping[str, Any],
    ) -> None:
        """Save weights, optimisers, further tensors, progress and torch's random state."""
        import torch
        from safetensors.torch import save_file

        tensors = {f"module.{name}": value for name, value in module.state_dict().items()}
        tensors |= {f"extra.{name}": value for name, value in extra.items()}
        tensors["generator"] = torch.get_rng_state()
        for number, optimiser in enumerate(optimisers):
            for index, slots in optimiser.state_dict()["state"].items():
                for name, value in slots.items():
                    tensors[f"optimiser.{number}.{index}.{name}"] = torch.as_tensor(value)
        numbers = {"identity": self.identity, "progress": progress}
        with replace_folder(self.folder) as fresh:
            # Tied weights share memory, which safetensors refuses: copies are written.
            save_file({name: t.detach().clone() for name, t in tensors.items()}, fresh / _TENSORS)
            (fresh / _NUMBERS).write_text(json.dumps(numbers), "utf-8")

    def load(
        self, module: nn.Module, optimisers: Sequence[Optimizer], extra: dict[str, Tensor]
    ) -> dict[str, Any]:
        """Restore a saved state in place.

        Returns
        -------
        dict
            The saved progress; empty where no state is saved.

        Raises
        ------
        ModelError
            E464: the state has another identity, or is damaged.
        """
        import torch
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        if not (self.folder / _NUMBERS).is_file():
            return {}
        try:
            numbers = json.loads((self.folder / _NUMBERS).read_text("utf-8"))
            if numbers["identity"] != json.loads(json.dumps(self.identity)):
                raise ModelError(
                    "E464",
                    f"the unfinished run in '{self.folder}' follows another recipe: remove the "
                    "folder to start again, or give the recipe it was started with",
                )
            tensors = load_file(self.folder / _TENSORS)
            module.load_state_dict(_part(tensors, "module."))
            extra.update(_part(tensors, "extra."))
            for number, optimiser in enumerate(optimisers):
                slots: dict[int, dict[str, Tensor]] = {}
                for name, value in _part(tensors, f"optimiser.{number}.").items():
                    index, slot = name.split(".", 1)
                    slots.setdefault(int(index), {})[slot] = value
                optimiser.load_state_dict({**optimiser.state_dict(), "state": slots})
            torch.set_rng_state(tensors["generator"])
            progress: dict[str, Any] = numbers["progress"]
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelError(
                "E464",
                f"the unfinished run in '{self.folder}' cannot be resumed "
                f"({type(error).__name__}): remove the folder to start again",
            ) from None
        return progress


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
