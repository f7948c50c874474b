"""Workbench: `init`, `log` and `finish` of the tracking API, loaded when first used."""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from workbench.tracking import Run, finish, init, log, log_artifact, redact

    run: Run | None
    config: Any
    summary: Any

_CURRENT = frozenset({"run", "config", "summary"})
"""Names that mean the run of the moment, so they are looked up every time."""

__all__ = ["Run", "__version__", "config", "finish", "init", "log", "log_artifact", "redact", "run", "summary"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        known = ", ".join(sorted(__all__))
        raise AttributeError(f"module 'workbench' has no attribute {name!r}; the tracking API has {known}")
    from workbench import tracking

    value = getattr(tracking, name)
    if name not in _CURRENT:
        globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
