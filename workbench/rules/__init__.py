"""Conditions over runs, windows and drift, and the gates that fail a build on them."""

from workbench.rules.gates import evaluate, evaluate_all

__all__ = ["evaluate", "evaluate_all"]
