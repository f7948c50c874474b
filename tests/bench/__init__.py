"""Measures every budget beside its peer in the same run: `python -m tests.bench`."""
