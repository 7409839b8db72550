"""Mentions of diseases, symptoms, procedures and medications: ``clinical_mentions``."""

from clinical_nlp.pipeline.mentions.component import ClinicalMentions, create_mentions
from clinical_nlp.pipeline.mentions.finding import SHIPPED, find_mention_model
from clinical_nlp.pipeline.mentions.labels import LABELS

__all__ = ["LABELS", "SHIPPED", "ClinicalMentions", "create_mentions", "find_mention_model"]
