"""The workbench's own logs: tracking and annotations."""
