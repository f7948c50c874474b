"""Hugging Face Trainer folders."""
