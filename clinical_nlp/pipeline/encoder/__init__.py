"""The encoder: ``alia_encoder`` gives every word a vector; the engine runs any module on words."""

from clinical_nlp.pipeline.encoder.checkpoint import Checkpoint
from clinical_nlp.pipeline.encoder.component import AliaEncoder, create_encoder
from clinical_nlp.pipeline.encoder.engine import Engine
from clinical_nlp.pipeline.encoder.finding import EMBEDDED, find_checkpoint, load_checkpoint
from clinical_nlp.pipeline.encoder.units import Context, Unit, units
from clinical_nlp.pipeline.encoder.words import Pieces, WordPieces

__all__ = [
    "EMBEDDED",
    "AliaEncoder",
    "Checkpoint",
    "Context",
    "Engine",
    "Pieces",
    "Unit",
    "WordPieces",
    "create_encoder",
    "find_checkpoint",
    "load_checkpoint",
    "units",
]
