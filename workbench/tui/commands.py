"""What can be typed after a colon: the command line's own words, done here where the interface has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from workbench.tui.action import Action, word_of
from workbench.tui.words import Call, Option, Refused, Word

if TYPE_CHECKING:
    from workbench.core.model import Run
    from workbench.tui.chrome import WorkbenchScreen
    from workbench.tui.desk import Desk

WHERE = Option("--where", "EXPR", "Only runs that match.", kind="where")
METRIC = Option("--metric", "KEY", "The main metric.", kind="metric")
DESC = Option("--desc", help="The greatest first.")

YANKED = ("value", "row", "id", "path", "markdown", "csv", "command")
"""What can be copied, by the word for it."""

WORDS: tuple[Word, ...] = (
    Word("runs", "The run table, with this filter and order.", "", (
        WHERE, Option("--all", help="Hidden runs too."), Option("--sort", "KEY", "A column.", kind="sort"), DESC,
        Option("--columns", "KEY,…", "Columns beside the main metric.", kind="columns"), METRIC,
    )),
    Word("filter", "Show the runs that match; all of them without EXPR.", "[EXPR]", kind="where"),
    Word("sort", "Sort the runs by a column.", "KEY", (DESC,), "sort"),
    Word("columns", "Have these columns, in this order; the usual ones without KEY.", "[KEY]…", kind="column"),
    Word("metric", "Choose the main metric.", "KEY", kind="metric"),
    Word("mark", "Mark runs, beside those that are.", "[RUN]…", (
        WHERE, Option("--none", help="Take every mark off first."),
    ), "run"),
    Word("compare", "Runs side by side: the named ones, else the marked ones.", "[RUN]…", (WHERE, METRIC), "run"),
    Word("show", "Open a run.", "[RUN]", (METRIC,), "run"),
    Word("open", "Open a view.", "NAME", kind="panel"),
    Word("panel", "Open a view.", "NAME", kind="panel"),
    Word("monitor", "Windows of a production monitor.", "[NAME]", kind="monitor"),
    Word("sources", "Files read, how far, and what was refused."),
    Word("tag", "Tag RUN, the marked runs, or the current one.", "[RUN] TAG…", (
        Option("--remove", help="Take the tags away."),
    ), "run"),
    Word("note", "Write a note on RUN, or the current one.", "[RUN] TEXT", kind="run"),
    Word("baseline", "Compare with RUN, or the current one.", "[RUN]", (
        Option("--clear", help="It is the baseline no more."),
    ), "run"),
    Word("hide", "Hide RUNs, the marked ones, or the current one.", "[RUN]…", (
        Option("--undo", help="Show them again."),
    ), "run"),
    Word("rename", "Show RUN, or the current one, by another name.", "[RUN] NAME", kind="run"),
    Word("view", "Open a saved view, or keep what is seen under a name.", "[NAME]", (
        Option("--save", help="Keep filter, order, columns, marks and chart."), Option("--delete", help="Forget it."),
    ), "view"),
    Word("yank", "Copy what the cursor is on, or the whole table.", "WHAT", kind="yank"),
    Word("theme", "Use other colours.", "NAME", kind="theme"),
    Word("sql", "Ask the store in SQL; SELECT is run at once.", "[SELECT]"),
    Word("settings", "Every setting, what it holds, and who said so."),
    Word("undo", "Take back what was last written about a run."),
    Word("redo", "Do again what was taken back."),
    Word("help", "Every key that works here."),
    Word("quit", "Leave; the view is kept for the next time."),
    Word("q", "Leave; the view is kept for the next time."),
)  # fmt: skip
"""Words the interface does itself; those that the command line has too mean the same here as there."""

ASKS_A_SHELL = frozenset({"tui", "demo", "watch", "serve"})
"""Commands that take the terminal, or never end."""


class Here(Struct, frozen=True):
    """Where a command was typed."""

    desk: Desk
    screen: WorkbenchScreen

    @property
    def runs(self) -> Sequence[Run]:
        """Every run, hidden ones too."""
        return self.desk.rows.snapshot.runs

    @property
    def current(self) -> Run | None:
        """The run that is open, or under the cursor of the table."""
        found: Callable[[], Run | None] | None = getattr(self.screen, "current_run", None)
        return found() if found is not None else None

    @property
    def meant(self) -> Sequence[Run]:
        """The marked runs, else the current one."""
        by_id = self.desk.rows.by_id
        marked = [by_id[run_id] for run_id in self.desk.view.marks if run_id in by_id]
        return marked or ([self.current] if self.current is not None else [])


class Prepared(Struct, frozen=True):
    """A line that can be done: what it will do, in words, and how."""

    remark: str
    effect: Callable[[], None]


def known_words(outside: Sequence[Word], actions: Sequence[Action] = ()) -> dict[str, Word]:
    """Everything that can be typed, by name: the interface's words, the command line's, and what keys do here.

    A word that both have takes the options of both; one that only the command line knows leaves it to that.
    """
    found = {word.name: word for word in WORDS}
    for word in outside:
        if word.name in ASKS_A_SHELL:
            continue
        own = found.get(word.name)
        if own is None:
            found[word.name] = replace(word, outside=True)
            continue
        options = {option.name: option for option in (*word.options, *own.options)}
        arguments = own.arguments or ("" if word.root == "argument" else word.arguments)
        found[word.name] = replace(own, options=tuple(options.values()), root=word.root, arguments=arguments)
    for action in actions:
        found.setdefault(word_of(action), Word(word_of(action), action.help))
    return dict(sorted(found.items()))


def own_options(name: str) -> frozenset[str]:
    """Options of a word that the interface does itself; with any other the command line is asked."""
    return frozenset(option.name for word in WORDS if word.name == name for option in word.options)


def is_here(call: Call) -> bool:
    """Whether the interface does a call itself."""
    return any(word.name == call.word.name for word in WORDS) and set(call.options) <= own_options(call.word.name)


def run_called(here: Here, name: str, position: int) -> Run:
    """The run that a word names.

    Raises:
        Refused: none or several are called so; the nearest is told.
    """
    from workbench.core.config import nearest
    from workbench.core.find import runs_called

    found = runs_called(here.runs, name)
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(run.name for run in found[:4])
        raise Refused(f"{len(found)} runs: {names}{', …' if len(found) > 4 else ''}", position, unfinished=True)
    raise Refused(f"no run {name!r}{nearest(name, [run.name for run in here.runs])}", position)


def checked_where(here: Here, text: str, position: int) -> str:
    """What a filter would show, in words.

    Raises:
        Refused: it cannot be read; the place in the line is that within the filter.
    """
    from workbench.core.where import WhereError
    from workbench.tui.run_words import count

    rows = here.desk.rows
    try:
        shown = rows.arrange(here.desk.view, text)
    except WhereError as error:
        raise Refused(error.message, position + error.position) from error
    return f"{count(len(shown), 'run')} {'match' if len(shown) != 1 else 'matches'}{rows.unknown_keys(text)}"


def one_of(name: str, known: Mapping[str, object] | Sequence[str], what: str, position: int) -> str:
    """A name that is known.

    Raises:
        Refused: it is not; the nearest is told.
    """
    from workbench.core.config import nearest

    if name in known:
        return name
    hopeful = bool(name) and any(each.startswith(name) for each in known)
    raise Refused(f"no {what} {name!r}{nearest(name, list(known))}", position, unfinished=hopeful or not name)
