"""Names of the registered model, its aliases, experiments and tags."""

from __future__ import annotations

#: The registered model, which is also the experiment of its training runs.
NAME = "hf-risk"

#: Experiment with a run for each promotion, rollback and refusal.
DECISIONS = "hf-risk-decisions"

#: Aliases of the model that scores patients and of the one that may replace it.
CHAMPION, CHALLENGER = "champion", "challenger"

DEFAULT_URI = f"models:/{NAME}@{CHAMPION}"

#: Tag of a run and of a model version that records the digest of the model's files.
DIGEST_TAG = "clinical_nlp.digest"

#: Prefix of a version's tags that record the digests of card, metrics and predictions.
EVIDENCE_TAG = "clinical_nlp.evidence."
