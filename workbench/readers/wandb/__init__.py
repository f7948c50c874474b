"""W&B run files."""
