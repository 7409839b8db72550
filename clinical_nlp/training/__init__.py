"""Cohorts, recipes and evaluation: how a risk model is made and measured."""
