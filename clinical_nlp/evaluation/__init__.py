"""Accuracy of findings, assertion, codes and mentions: scores, intervals and errors."""
