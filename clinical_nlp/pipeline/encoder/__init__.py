"""The encoder: ``alia_encoder`` gives every word a vector; the engine runs any module on words."""

from clinical_nlp.pipeline.encoder.checkpoint import Checkpoint
from clinical_nlp.pipeline.encoder.engine import Engine
from clinical_nlp.pipeline.encoder.finding import EMBEDDED, find_checkpoint, load_checkpoint
from clinical_nlp.pipeline.encoder.units import Context, Unit, units
from clinical_nlp.pipeline.encoder.words import Pieces, WordPieces

__all__ = [
    "EMBEDDED",
    "Checkpoint",
    "Context",
    "Engine",
    "Pieces",
    "Unit",
    "WordPieces",
    "find_checkpoint",
    "load_checkpoint",
    "units",
]
