"""The built-in panels, written against `workbench.plugin.api` like everybody else's."""

from __future__ import annotations

from workbench.plugin.api import Panel


def built_in() -> tuple[Panel, ...]:
    """One of each, in the order they are shown."""
    from workbench.panels.charts import ChartsPanel
    from workbench.panels.compare import ComparePanel
    from workbench.panels.drift import DriftPanel
    from workbench.panels.findings import FindingsPanel
    from workbench.panels.groups import GroupsPanel
    from workbench.panels.importance import ImportancePanel
    from workbench.panels.latency import LatencyPanel
    from workbench.panels.parallel import ParallelPanel
    from workbench.panels.params import ParamsPanel
    from workbench.panels.pipeline import PipelinePanel
    from workbench.panels.quality import QualityPanel
    from workbench.panels.run import RunPanel
    from workbench.panels.runs import RunsPanel
    from workbench.panels.scatter import ScatterPanel
    from workbench.panels.scoreboard import ScoreboardPanel
    from workbench.panels.sources import SourcesPanel
    from workbench.panels.windows import WindowsPanel

    return (
        RunsPanel(), RunPanel(), ComparePanel(), ChartsPanel(), DriftPanel(), WindowsPanel(), SourcesPanel(),
        ScoreboardPanel(), FindingsPanel(), LatencyPanel(), QualityPanel(), PipelinePanel(),
        ParamsPanel(), ScatterPanel(), ParallelPanel(), ImportancePanel(), GroupsPanel(),
    )  # fmt: skip
