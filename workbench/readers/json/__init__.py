"""JSON Lines and JSON histories."""
