"""Conditions over runs, windows and drift, and the gates that fail a build on them."""

from workbench.rules.gates import evaluate, evaluate_all
from workbench.rules.replay import Replay, replay

__all__ = ["Replay", "evaluate", "evaluate_all", "replay"]
