"""The report: gates first, then runs, the newest run, the comparison, production, problems, and plugins' panels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from workbench.core.blocks import Block, Empty, Heat, Lines, Note, Stack, Table
from workbench.core.compare import baseline_of
from workbench.core.config import Config
from workbench.core.gates import GateResult, failing_first
from workbench.core.prose import keyed
from workbench.core.query import Fit, Focus, Query
from workbench.panels.shapes import source_shape
from workbench.panels.sources import has_problem, sources_table
from workbench.plugin import box
from workbench.plugin.api import Panel
from workbench.plugin.box import answer_of, caught_output, reason_of
from workbench.plugin.checks import check_block
from workbench.plugin.discovery import origin_of
from workbench.render.document import Document, Section
from workbench.render.json import clean
from workbench.report.against import against_section
from workbench.report.pack import Pack
from workbench.report.replay import replay_section
from workbench.rules.replay import Replay

PASSED, GATE_FAILED, USAGE, STORE, UNREADABLE = 0, 1, 2, 3, 4
"""Exit codes: all is well, a gate failed, usage or configuration, the store, unreadable input with `--strict`."""

REPORT_FIT = Fit(columns=120)
"""The room that blocks are made for when nobody says how wide the reader's page is."""

_STUDIES = ("groups", "scatter", "parallel", "importance")
"""What many runs together tell."""

STUDIED = 6
"""Runs from which on they are studied together: of fewer the comparison says it all."""

_SILENT = ("latency", "quality", "pipeline", "charts", *_STUDIES)

COMPARED = 6
"""Newest runs that are compared when none is marked."""

_BUILT_IN = (
    "runs", "run", "compare", "windows", "drift", "sources", "scoreboard", "findings", "latency", "quality", "pipeline",
    "charts", "params", *_STUDIES,
)  # fmt: skip


def build(
    query: Query,
    config: Config,
    focus: Focus,
    panels: Sequence[Panel],
    gates: Sequence[GateResult] = (),
    *,
    fit: Fit = REPORT_FIT,
    against: Pack | None = None,
    replayed: Sequence[Replay] | None = None,
    generated_at: float | None = None,
) -> Document:
    """Put a project's report together; a panel that raises has its error shown in its place.

    `against` adds what changed to the main branch's pack, `replayed` what gates would have said before.
    Sections that would be empty are left out, except the runs.
    """
    if focus.metric is None and config.main_metric is not None:
        focus = replace(focus, metric=config.main_metric)
    by_name = {panel.name: panel for panel in panels if panel.in_report}
    sections = [_section(by_name.get("runs"), query, focus, fit)]
    if against is not None:
        sections.append(against_section(query, focus, against, fit))
    sections += _run_sections(by_name, query, focus, fit)
    if replayed is not None:
        sections.append(replay_section(replayed, fit))
    sections += _production_sections(by_name, query, focus, fit)
    sections.append(_problems(query, fit))
    sections += [_plugin_section(panel, query, focus, fit) for name, panel in by_name.items() if name not in _BUILT_IN]
    return Document(
        f"Workbench report: {config.root.resolve().name}",
        f"filter: {focus.where}" if focus.where else "",
        [section for section in sections if section is not None],
        failing_first(gates),
        generated_at,
    )


def exit_code(gates: Sequence[GateResult], query: Query | None = None, *, strict: bool = False) -> int:
    """0, or 1 when a gate failed; with `strict`, 4 when all gates passed but something could not be read."""
    if not all(gate.passed for gate in gates):
        return GATE_FAILED
    if strict and query is not None and any(has_problem(source) for source in query.sources()):
        return UNREADABLE
    return PASSED


def _run_sections(by_name: Mapping[str, Panel], query: Query, focus: Focus, fit: Fit) -> list[Section | None]:
    """The newest run of the filter, and the comparison of the newest few with the baseline, or of the marked ones."""
    runs = query.runs(focus.where)
    if not runs:
        return []
    sections = [_section(by_name.get("run"), query, replace(focus, run=focus.run or runs[0].id), fit)]
    sections.append(_filled(_section(by_name.get("pipeline"), query, focus, fit), "pipeline"))
    marked = focus.marked or tuple(run.id for run in runs[:COMPARED])
    baseline = baseline_of(query.runs(hidden=True), focus.baseline)
    if len({*marked, *([baseline.id] if baseline else [])}) > 1:
        options = {**focus.options, "reference": bool(focus.marked)}
        compared = replace(focus, marked=marked, options=options)
        sections.append(_section(by_name.get("compare"), query, compared, fit))
        sections.append(_filled(_section(by_name.get("charts"), query, compared, fit), "charts"))
    if len(focus.marked or runs) >= STUDIED:
        sections += [_filled(_section(by_name.get(name), query, focus, fit), name) for name in _STUDIES]
    return sections


def _production_sections(by_name: Mapping[str, Panel], query: Query, focus: Focus, fit: Fit) -> list[Section | None]:
    """Scores and findings of all, then windows, drift, latency and quality of each monitor, or of the focused one."""
    names = [focus.monitor] if focus.monitor is not None else query.monitors()
    wanted = ["scoreboard", "findings"] if names else ["findings"] if query.findings() else []
    summary = [_section(by_name.get(panel), query, focus, fit) for panel in wanted]
    return summary + [
        _filled(_section(by_name.get(panel), query, replace(focus, monitor=name), fit, suffix=name), panel)
        for name in names
        for panel in ("windows", "drift", "latency", "quality")
    ]


def _filled(section: Section | None, panel: str) -> Section | None:
    """A section that only says there is nothing is left out, unless it is the one that says what to do about it."""
    empty = section is not None and isinstance(section.block, Empty)
    return None if empty and panel in _SILENT else section


def _problems(query: Query, fit: Fit) -> Section | None:
    """Sources of which something was refused; nothing where all is well."""
    broken = [source for source in query.sources() if has_problem(source)]
    if not broken:
        return None
    table = replace(sources_table(broken, fit), title="")
    return Section("Sources with problems", table, "sources", [source_shape(source) for source in broken])


def _section(panel: Panel | None, query: Query, focus: Focus, fit: Fit, suffix: str = "") -> Section | None:
    if panel is None:
        return None
    title = f"{panel.title}: {suffix}" if suffix else panel.title
    anchor = f"{panel.name}-{suffix}" if suffix else panel.name
    doing = "load"
    try:
        data = panel.load(query, focus)
        doing = "view"
        block, shape = keyed(panel.view(data, fit)), panel.to_json(data)
    except Exception as error:  # noqa: BLE001 - a panel may raise anything, and the report goes on without it
        return _failed(panel, error, doing, anchor, title)
    return Section(_title(title, block), _untitled(block), anchor, shape)


def _plugin_section(panel: Panel, query: Query, focus: Focus, fit: Fit) -> Section | None:
    """A panel that others wrote: what it prints stays out of the report, what it gives is checked before it is drawn.

    One that hangs is given up after a deadline, so that a report always ends. Where a panel has nothing to show but an
    `Empty`, it is left out.
    """
    doing = "load"

    def asked() -> tuple[Block, Any]:
        nonlocal doing
        data = panel.load(query, focus)
        doing = "view"
        block: Block = panel.view(data, fit)
        check_block(block)
        doing = "to_json"
        shape = panel.to_json(data)
        return block, None if shape is None else clean(shape)

    try:
        with caught_output(f"panel {panel.name}"):
            block, shape = answer_of(asked, panel.deadline if panel.isolate else min(panel.deadline, box.DEADLINE))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a panel may raise anything, and the report goes on
        return _failed(panel, error, doing, panel.name, panel.title)
    if isinstance(block, Empty):
        return None
    return Section(_title(panel.title, block), _untitled(keyed(block)), panel.name, shape)


def _failed(panel: Panel, error: BaseException, doing: str, anchor: str, title: str) -> Section:
    """Who failed, why, where, and how to go on without it."""
    plugin, (words, place) = origin_of(panel), reason_of(error)
    source = f"{plugin.distribution} {plugin.version}".strip() if plugin else type(panel).__module__
    where = f"Raised in {doing}" + (f", {place}." if place else ".")
    hint = f"{where} It comes from {source}. `workbench --safe` leaves all plugins out."
    block = Stack([Note(f"The panel {panel.name!r} failed: {words}", "bad"), Note(hint, "dim")])
    return Section(title, block, anchor, {"error": words, "doing": doing, "place": place, "plugin": source})


def _title(title: str, block: Block) -> str:
    """The run panel calls its block by the run's name, which belongs into the heading."""
    own = block.title if isinstance(block, Stack) else ""
    return f"{title}: {own}" if own and own != title and not own.startswith(title) else title


def _untitled(block: Block) -> Block:
    """The block without its own title, which stands in the section's heading already."""
    if isinstance(block, Stack | Table | Lines | Heat):
        return replace(block, title="")
    return block
