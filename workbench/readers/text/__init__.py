"""Text logs of trainers."""
