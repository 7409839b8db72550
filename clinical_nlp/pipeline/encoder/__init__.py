"""The spaCy component ``alia_encoder``: a vector for every word."""

from clinical_nlp.pipeline.encoder.component import AliaEncoder, create_encoder

__all__ = ["AliaEncoder", "create_encoder"]
