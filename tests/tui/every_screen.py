"""Every screen of the workbench, and how each comes into its states: loading, empty, failing, full."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from tests.support.memory_query import MemoryQuery
from tests.tui.full import FAILED, bare, full, with_gates, write_log
from tests.tui.project import LiveQuery
from tests.tui.stories import Story, clock
from workbench.core.query import Limits, Rows
from workbench.core.settings_file import SettingsFiles
from workbench.panels import built_in
from workbench.panels.gates import GatesPanel
from workbench.plugin.api import Panel
from workbench.store.errors import StoreBusyError
from workbench.tui.logs_screen import LogsScreen
from workbench.tui.sql_screen import SqlScreen

States = AsyncIterator[str]
"""Names of states, each given when it is on the screen."""
Way = Callable[[Story], States]

BUSY = StoreBusyError("the store has been kept by pid 4711 for 5 s\n  next: workbench doctor")
CHARTED = ("r02", "r03", FAILED, "r07")


def every_panel(root: Path) -> list[Panel]:
    """All built-in panels, the gates among them, at the frozen time of the stories."""
    panels = [*built_in(), GatesPanel(with_gates(root), clock)]
    for panel in panels:
        if hasattr(panel, "_clock"):
            panel._clock = clock
    return panels


class Asked(LiveQuery):
    """A project that answers statements, as far as it has runs; the real store's SQL has stories of its own."""

    def sql(self, text: str, parameters: Sequence[Any] = (), limits: Limits | None = None) -> Rows:
        self.__getattr__("root")()  # waits and fails like everything else
        if "duckdb_columns" in text:
            columns = {"run": ("id", "name", "status", "path"), "point": ("run", "key", "step", "value")}
            return Rows(("table", "column", "type"), [(t, c, "varchar") for t, names in columns.items() for c in names])
        titles = ("name", "status", "path", "started_at", "updated_at", "status_reason", "tags")
        rows = [tuple(str(getattr(run, title)) for title in titles) for run in self.now.runs()]
        return Rows(titles, rows)


# Ways through the states


def of_panel(name: str, empty: Callable[[], MemoryQuery] = MemoryQuery) -> Way:
    """A panel: it waits for the store, has nothing, cannot read, and comes back by itself with everything."""

    async def way(at: Story) -> States:
        await _becomes(at, empty())
        at.query.hold()
        if name == "run":
            at.app.open_run(FAILED)
        else:
            at.app.action_panel(name)
        await at.until("reading the store …")
        await at.pilot.pause()
        yield "loading"
        at.query.let_go()
        await at.settle()
        yield "empty"
        await _fails(at)
        await at.press("r")
        yield "failing"
        await _becomes(at, full())
        assert "cannot be read" not in at.text, "it comes back by itself"
        await at.press("r")  # with the run table's cursor where it is by now
        yield "full"

    return way


async def of_runs(at: Story) -> States:
    """The run table; it waits while the store is opened."""
    await at.pilot.pause()
    yield "loading"
    at.query.now = MemoryQuery()
    at.query.let_go()
    await at.settle()
    yield "empty"
    await _fails(at)
    yield "failing"
    await _becomes(at, full())
    yield "full"


async def of_charts(at: Story) -> States:
    """The grid of charts, of four runs."""
    await _becomes(at, MemoryQuery())
    await at.press("c")
    yield "empty"
    await at.press("1")
    async for state in _charted(at):
        yield state


async def of_chart(at: Story) -> States:
    """One chart full screen, read at a step; a chart is there because it has values, so that it is never empty."""
    async for state in _charted(at, "enter"):
        if state == "full":
            await at.press("x", "left", "left")
        yield state


async def _charted(at: Story, *keys: str) -> States:
    await _becomes(at, full())
    at.app.change_view(marks=CHARTED)
    await at.settle()
    at.query.hold()
    await at.pilot.press("c", *keys)
    await at.until("reading …")
    await at.pilot.pause()
    yield "loading"
    at.query.failing = BUSY
    at.query.let_go()
    await at.settle()
    await _fails(at)
    yield "failing"
    await _becomes(at, full())
    yield "full"


async def of_log(at: Story) -> States:
    """The log of the run that failed."""
    await _becomes(at, bare())
    at.query.hold()
    at.app.open_log(at.app.rows.by_id[FAILED])
    await at.until("Looking for logs …")
    await at.pilot.pause()
    yield "loading"
    at.query.let_go()
    await at.settle()
    yield "empty"
    at.query.failing = BUSY
    assert isinstance(at.here, LogsScreen)
    at.here._open("")
    await _fails(at)
    yield "failing"
    write_log(at.app.root.parent)
    await _becomes(at, full())
    yield "full"


async def of_sql(at: Story) -> States:
    """A statement that runs, gives nothing, cannot be asked, and is answered."""
    await _becomes(at, MemoryQuery())
    await at.press("semicolon")
    at.query.hold()
    await _ask(at)
    yield "loading"
    at.query.let_go()
    await at.settle()
    yield "empty"
    await _fails(at)
    await _ask(at)
    await at.settle()
    yield "failing"
    await _becomes(at, full())
    await _ask(at)
    await at.settle()
    yield "full"


async def _ask(at: Story) -> None:
    screen = at.app.screen
    assert isinstance(screen, SqlScreen)
    screen.put("select * from run")
    await at.pilot.pause()


async def of_settings(at: Story) -> States:
    """The page of settings: none chosen, wrong ones, chosen ones; it waits for nothing."""
    user = at.app._files.user
    assert user is not None
    for state, text in (
        ("empty", ""),
        ("failing", 'theme = "solar"\nframs = 30\n[keys]\nmark = "ctrl+a"\n'),
        ("full", 'theme = "workbench-light"\nsql_rows = 500\n[keys]\nmark = "z"\n'),
    ):
        user.write_text(text, encoding="utf-8")
        at.app.look_at_settings()
        await at.settle()
        at.app.clear_notifications()
        await at.press("O")
        yield state
        await at.press("escape")


async def of_help(at: Story) -> States:
    """The keys of the run table, of a panel and of a log; it waits for nothing."""
    await _becomes(at, full())
    for state in ("full", "full, its end"):
        await at.press("question_mark", *(["end"] if "end" in state else []))
        yield state
        await at.press("escape")


async def of_choosers(at: Story) -> States:
    """Everything that is chosen from a list, and each list where nothing fits what was typed."""
    await _becomes(at, full())
    for key, name in CHOOSERS.items():
        await at.press(key)
        yield name
        if name == "metrics":
            await at.type("zzz")
            yield f"{name}, nothing fits"
        await at.press("escape")


CHOOSERS = {
    "m": "metrics", "s": "sorting", "o": "columns", "p": "panels", "ctrl+p": "commands", "V": "saved views",
    "Y": "copying", "exclamation_mark": "as a command",
}  # fmt: skip


async def _fails(at: Story) -> None:
    """The store cannot be read, and the interface has noticed."""
    at.query.failing = BUSY
    await at.store_changes()


async def _becomes(at: Story, project: MemoryQuery) -> None:
    """The project is another one, and the interface has noticed."""
    at.query.failing = None
    at.query.now = replace(project, version=str(int(at.query.now.version) + 1))
    await at.store_changes()


SCREENS: Mapping[str, Way] = {
    "runs": of_runs,
    "charts": of_charts,
    "chart": of_chart,
    **{panel.name: of_panel(panel.name) for panel in built_in() if panel.name not in ("runs", "charts", "run")},
    "gates": of_panel("gates"),
    "run": of_panel("run", bare),
    "log": of_log,
    "sql": of_sql,
    "settings": of_settings,
    "help": of_help,
    "choosers": of_choosers,
}
"""By name."""


async def open_full(at: Story, name: str) -> None:
    """A screen with all there is to see, without its other states."""
    if name in ("log", "run"):
        write_log(at.app.root.parent)
    await _becomes(at, full())
    if name in ("charts", "chart"):
        at.app.change_view(marks=CHARTED)
        await at.press("c", *(["enter"] if name == "chart" else []))
    elif name == "run":
        at.app.open_run(FAILED)
    elif name == "log":
        at.app.open_log(at.app.rows.by_id[FAILED])
    elif name == "sql":
        await at.press("semicolon")
        await _ask(at)
    elif name != "runs":
        at.app.action_panel(name)
    await at.settle()


def files() -> SettingsFiles:
    """Where the page of settings reads from."""
    return SettingsFiles(Path("config.toml"))
