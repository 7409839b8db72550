"""Mentions of diseases, symptoms, procedures and medications: ``clinical_mentions``."""

from clinical_nlp.neural.tagger.labels import LABELS
from clinical_nlp.neural.tagger.locate import SHIPPED, find_mention_model
from clinical_nlp.pipeline.mentions.component import ClinicalMentions, create_mentions

__all__ = [
    "LABELS",
    "SHIPPED",
    "ClinicalMentions",
    "create_mentions",
    "find_mention_model",
]
