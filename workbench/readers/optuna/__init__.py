"""Optuna studies, SQLite and journal."""
