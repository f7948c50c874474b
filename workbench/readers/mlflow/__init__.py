"""MLflow stores, files and SQLite."""
