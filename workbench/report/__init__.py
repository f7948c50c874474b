"""Reports: which panels and gates, in what order, and the exit code that goes with them."""

from workbench.report.build import build, exit_code

__all__ = ["build", "exit_code"]
