"""The spaCy component ``es_reader``: the learned reader beside the rules."""

from clinical_nlp.pipeline.reader.component import EsReader, ReaderSettings

__all__ = ["EsReader", "ReaderSettings"]
