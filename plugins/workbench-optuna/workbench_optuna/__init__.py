"""Optuna studies in Workbench: trials, the best so far, parallel coordinates, importances, Pareto front."""
