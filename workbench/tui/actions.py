"""The one registry of what a key does: bindings, footer, help and command list are all made from it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from workbench.tui.action import DIALOGS, Action, Scope

if TYPE_CHECKING:
    from workbench.plugin.api import Action as Offered

ACTIONS: tuple[Action, ...] = (
    # Runs
    Action("open", ("enter",), "open", "Open the run under the cursor.", "runs", 2),
    Action("mark", ("space",), "mark", "Mark the run: marked runs are charted and compared.", "runs", 1),
    Action("mark_all", ("asterisk",), "mark all", "Mark every run shown, or clear all marks.", "runs"),
    Action("filter", ("slash",), "filter", "Filter the runs: lr>1e-3 tag:x state:running val/loss<0.4.", "runs", 4),
    Action("sort", ("s",), "sort", "Choose the column to sort by; the same one again turns the order.", "runs", 6),
    Action("reverse", ("S",), "reverse", "Turn the order of the rows.", "runs"),
    Action("columns", ("o",), "columns", "Choose the columns, their order and their widths.", "runs"),
    Action("scroll_columns(-1)", ("left",), "left", "Show the columns further left.", "runs"),
    Action("scroll_columns(1)", ("right",), "right", "Show the columns further right.", "runs"),
    Action("toggle_chart", ("v",), "chart", "Show or hide the chart beside the table.", "runs", 5),
    Action("show_hidden", ("a",), "hidden too", "Show hidden runs too, or leave them out again.", "runs"),
    Action("baseline", ("b",), "baseline", "Make this run the baseline; again: no longer.", "runs", 3),
    Action("tag", ("t",), "tag", "Tag the marked runs, or the one under the cursor.", "runs"),
    Action("note", ("n",), "note", "Write a note on the run.", "runs"),
    Action("hide", ("H",), "hide", "Hide the run, or show it again.", "runs"),
    Action("open_log", ("l",), "log", "Read the run's log; with the crosshair on, at that step.", "runs"),
    Action("rename", ("R",), "rename", "Show the run by another name; its log and its id stay.", "runs"),
    # One run
    Action("step_run(-1)", ("comma",), "previous", "Open the run above this one in the table.", "run", 2),
    Action("step_run(1)", ("full_stop",), "next", "Open the run below this one in the table.", "run", 3),
    Action("baseline", ("b",), "baseline", "Make this run the baseline; again: no longer.", "run", 4),
    Action("tag", ("t",), "tag", "Tag this run.", "run"),
    Action("note", ("n",), "note", "Write a note on this run.", "run"),
    Action("hide", ("H",), "hide", "Hide this run, or show it again.", "run"),
    Action("rename", ("R",), "rename", "Show this run by another name; its log and its id stay.", "run"),
    Action("mark", ("space",), "mark", "Mark this run: marked runs are charted and compared.", "run", 1),
    Action("open_log", ("l",), "log", "Read this run's log; with the crosshair on, at that step.", "run", 1),
    Action("to_finding", ("w",), "what went wrong", "Read the charts where the worst finding begins.", "run", 1),
    # Logs
    Action("search", ("slash",), "search", "Search for a text; at the end of the log upwards.", "logs", 1),
    Action("find(1)", ("n",), "next", "The next line below with what is sought.", "logs", 2),
    Action("find(-1)", ("N",), "previous", "The next line above with what is sought.", "logs"),
    Action("level", ("e",), "level", "All lines, warnings and errors, errors alone.", "logs", 3),
    Action("only", ("o",), "only", "Only lines that hold a text.", "logs", 4),
    Action("follow", ("f",), "follow", "Follow what is written, or stay here.", "logs", 5),
    Action("to_chart", ("enter",), "chart", "Show the charts at the step that this line tells of.", "logs", 6),
    Action("choose_log", ("L",), "other log", "Choose another log of this run.", "logs", 7),
    Action("sideways(1)", ("right",), "right", "Show what stands further right in long lines.", "logs"),
    Action("sideways(-1)", ("left",), "left", "Show what stands further left in long lines.", "logs"),
    # Moving
    Action("up", ("up", "k"), "up", "One row up.", "list"),
    Action("down", ("down", "j"), "down", "One row down.", "list"),
    Action("page_up", ("pageup",), "page up", "One page up.", "list"),
    Action("page_down", ("pagedown",), "page down", "One page down.", "list"),
    Action("top", ("home", "g"), "first", "To the first row.", "list"),
    Action("bottom", ("end", "G"), "last", "To the last row.", "list"),
    # Charts
    Action("metric", ("m",), "metric", "Choose the main metric, of the sparklines and the chart.", "chart", 10),
    Action("crosshair", ("x",), "crosshair", "Read the values at one step, or cease to.", "chart", 11),
    Action("cross(-1)", ("left",), "back a step", "Move the crosshair left.", "chart"),
    Action("cross(1)", ("right",), "on a step", "Move the crosshair right.", "chart"),
    Action("cross(-10)", ("shift+left", "less_than_sign"), "far back", "Move the crosshair far left.", "chart"),
    Action("cross(10)", ("shift+right", "greater_than_sign"), "far on", "Move the crosshair far right.", "chart"),
    Action("cycle_x", ("X",), "x axis", "X axis by step, wall time, or time since the start.", "chart", 13),
    Action("log_y", ("y",), "log y", "Logarithmic y axis on or off.", "chart", 12),
    Action("smooth(1)", ("right_square_bracket",), "smooth", "Smooth more; the raw line stays behind.", "chart", 14),
    Action("smooth(-1)", ("left_square_bracket",), "less smooth", "Smooth less.", "chart"),
    # Grid of charts
    Action("open", ("enter",), "open", "Open the chart full screen; a group folds or unfolds.", "charts", 1),
    Action("up", ("up", "k"), "up", "The chart above.", "charts"),
    Action("down", ("down", "j"), "down", "The chart below.", "charts"),
    Action("turn(-1)", ("comma", "shift+tab"), "previous", "The chart before this one, full screen too.", "charts"),
    Action("turn(1)", ("full_stop", "tab"), "next", "The chart behind this one, full screen too.", "charts", 9),
    Action("page(-1)", ("pageup",), "page up", "The page of charts before.", "charts"),
    Action("page(1)", ("pagedown",), "page down", "The next page of charts.", "charts"),
    Action("top", ("g",), "first", "The first chart.", "charts"),
    Action("bottom", ("G",), "last", "The last chart.", "charts"),
    Action("filter", ("slash",), "filter", "Filter the charts by words of their names; !word leaves out.", "charts", 3),
    Action("fold", ("f",), "fold", "Fold the group of charts, or unfold it.", "charts", 5),
    Action("fold_all", ("F",), "fold all", "Fold every group, or unfold all.", "charts"),
    Action("pin", ("P",), "pin", "Pin the chart to the top, or take it down.", "charts", 6),
    Action(
        "zoom(1)", ("plus", "equals_sign"), "zoom", "Zoom in around the crosshair; the wheel does too.", "charts", 4
    ),
    Action("zoom(-1)", ("minus",), "zoom out", "Zoom out.", "charts"),
    Action("pan(-1)", ("left_parenthesis",), "pan left", "Show what is further left; dragging does too.", "charts"),
    Action("pan(1)", ("right_parenthesis",), "pan right", "Show what is further right.", "charts"),
    Action("open_log", ("l",), "log", "Read the run's log; with the crosshair on, at that step.", "charts", 10),
    Action("whole", ("z",), "whole", "Show all there is again.", "charts", 2),
    Action("cross_end(False)", ("home",), "first value", "Put the crosshair on the first value in sight.", "charts"),
    Action("cross_end(True)", ("end",), "last value", "Put the crosshair on the last value in sight.", "charts"),
    Action(
        "axis", ("X",), "x axis", "X axis by step, epoch, wall time, time since the start, or any metric.", "charts", 8
    ),
    Action("log_x", ("L",), "log x", "Logarithmic x axis on or off.", "charts"),
    Action("marker", ("D",), "dots", "Draw curves in braille, blocks, dots or ASCII.", "charts"),
    # Panels
    Action("left", ("left",), "left", "One column left.", "heat"),
    Action("right", ("right",), "right", "One column right.", "heat"),
    Action("open", ("enter",), "open", "Open what is under the cursor.", "panel", 1),
    Action("choose", ("o",), "options", "Choose what this shows: axes, groups, which value of a metric.", "panel", 10),
    Action("cycle_choice", ("v",), "next value", "The next value of what this panel shows first.", "panel", 15),
    Action("cycle_monitor", ("M",), "monitor", "Show the next monitor.", "panel", 3),
    Action("retry", ("r",), "reload", "Load this panel again.", "panel", 20),
    Action("traceback", ("e",), "traceback", "Show where a failed panel raised.", "panel", 2),
    # SQL
    Action("edit", ("e",), "edit", "Write the statement.", "sql", 1),
    Action("open", ("enter",), "row", "Read the whole row under the cursor.", "sql", 2),
    Action("schema", ("s",), "tables", "Tables and views with their columns, or the result again.", "sql", 3),
    Action("history", ("h",), "history", "Choose a statement that was run before.", "sql", 4),
    Action("export", ("w",), "write", "Write the result to a file: csv, parquet, json or md.", "sql", 5),
    Action("run", ("r",), "run again", "Run the statement again on a new snapshot.", "sql", 6),
    Action("scroll_columns(-1)", ("left",), "left", "Show the columns further left.", "sql"),
    Action("scroll_columns(1)", ("right",), "right", "Show the columns further right.", "sql"),
    Action("submit", ("enter",), "run", "Run it; a new line while a bracket or a quote is open.", "sql_edit", 1),
    Action("complete", ("tab",), "complete", "Complete the word, and again for the next that fits.", "sql_edit", 2),
    Action("newline", ("ctrl+j",), "new line", "A new line.", "sql_edit", 3),
    Action("earlier", ("up",), "earlier", "The statement before, from the first line.", "sql_edit", 4),
    Action("later", ("down",), "later", "The statement after, from the last line.", "sql_edit"),
    Action("leave", ("escape",), "result", "To the result, with its keys.", "sql_edit", 5),
    Action("quit", ("ctrl+c",), "quit", "Leave the workbench.", "sql_edit"),
    # Everywhere
    Action("back", ("escape",), "back", "One layer back; never quits.", "app", 90),
    Action("undo", ("u",), "undo", "Take back the last tag, note, name or the like; again: the one before.", "app"),
    Action("redo", ("U",), "redo", "Do again what was taken back.", "app"),
    Action("panels", ("p",), "panels", "List every panel, plugins included.", "app"),
    Action("command_line", ("colon",), "command", "Type a command, in the words of the command line.", "app"),
    Action("commands", ("ctrl+p",), "commands", "Find any action or command by its name.", "app"),
    Action("views", ("V",), "views", "Saved views: filter, order, columns, marks and chart under a name.", "app"),
    Action("jump", ("apostrophe",), "jump", "Put a letter on all that can be gone to; the letter goes there.", "app"),
    Action("yank", ("Y",), "yank", "Copy a value, a row, an id, a path, a table, or the command.", "app"),
    Action("spoken", ("exclamation_mark",), "as command", "The command that prints what is seen here.", "app"),
    Action("sql", ("semicolon",), "SQL", "Ask the store in SQL.", "app"),
    Action("settings", ("O",), "settings", "Every setting, what it holds, who said so, and what is wrong.", "app"),
    Action("suspend", ("ctrl+z",), "suspend", "Back to the shell; fg comes back.", "app"),
    Action("help", ("question_mark",), "help", "Every key that works here.", "app", 91),
    Action("quit", ("q", "ctrl+c"), "quit", "Leave; the view is kept for the next time.", "app", 92),
    # Dialogs
    Action("accept", ("enter",), "keep", "Keep what was typed.", "prompt", 1),
    Action("cancel", ("escape",), "restore", "Leave everything as it was.", "prompt", 2),
    Action("quit", ("ctrl+c",), "quit", "Leave the workbench.", "prompt"),
    Action("accept", ("enter",), "do it", "Do what was typed.", "command", 1),
    Action("complete", ("tab",), "complete", "Complete the word; again: the next candidate.", "command", 3),
    Action("complete(-1)", ("shift+tab",), "the one before", "The candidate before.", "command"),
    Action("recall(1)", ("up",), "older", "A line typed before that begins like this one.", "command", 4),
    Action("recall(-1)", ("down",), "newer", "A line typed later.", "command"),
    Action("cancel", ("escape",), "leave", "Leave everything as it was.", "command", 2),
    Action("quit", ("ctrl+c",), "quit", "Leave the workbench.", "command"),
    Action("accept", ("enter",), "choose", "Choose the highlighted entry.", "chooser", 1),
    Action("move(-1)", ("up",), "up", "One entry up.", "chooser"),
    Action("move(1)", ("down",), "down", "One entry down.", "chooser"),
    Action("cancel", ("escape",), "close", "Close without choosing.", "chooser", 2),
    Action("quit", ("ctrl+c",), "quit", "Leave the workbench.", "chooser"),
    Action("accept", ("enter",), "on/off", "Turn the column on or off.", "columns", 1),
    Action("move(-1)", ("up",), "up", "One column up.", "columns"),
    Action("move(1)", ("down",), "down", "One column down.", "columns"),
    Action("shift(-1)", ("less_than_sign", "shift+up"), "left", "Put the column further left.", "columns", 3),
    Action("shift(1)", ("greater_than_sign", "shift+down"), "right", "Put the column further right.", "columns", 4),
    Action("resize(-1)", ("left",), "−", "Make the column narrower.", "columns", 5),
    Action("resize(1)", ("right",), "+", "Make the column wider.", "columns", 6),
    Action("usual", ("delete", "ctrl+r"), "usual", "Leave columns and widths to the table.", "columns", 7),
    Action("cancel", ("escape",), "close", "Close; what was changed holds.", "columns", 2),
    Action("quit", ("ctrl+c",), "quit", "Leave the workbench.", "columns"),
    Action("accept", ("enter",), "copy", "Copy what is highlighted.", "yank", 1),
    Action("pick('value')", ("v",), "value", "Copy a value.", "yank"),
    Action("pick('row')", ("r",), "row", "Copy the row, with tabs between its values.", "yank"),
    Action("pick('id')", ("i",), "id", "Copy the id.", "yank"),
    Action("pick('path')", ("p",), "path", "Copy the path.", "yank"),
    Action("pick('markdown')", ("m",), "Markdown", "Copy the table as Markdown.", "yank"),
    Action("pick('csv')", ("c",), "CSV", "Copy the table as CSV.", "yank"),
    Action("pick('command')", ("exclamation_mark",), "command", "Copy the command that prints this.", "yank"),
    Action("move(-1)", ("up",), "up", "One entry up.", "yank"),
    Action("move(1)", ("down",), "down", "One entry down.", "yank"),
    Action("cancel", ("escape",), "close", "Close without copying.", "yank", 2),
    Action("quit", ("q", "ctrl+c"), "quit", "Leave the workbench.", "yank"),
    Action("copy", ("enter", "Y"), "copy", "Copy the command.", "spoken", 1),
    Action("close", ("escape", "exclamation_mark"), "close", "Back to where you were.", "spoken", 2),
    Action("quit", ("q", "ctrl+c"), "quit", "Leave the workbench.", "spoken"),
    Action("accept", ("enter",), "choose", "Open the view, or keep this one.", "views", 1),
    Action("move(-1)", ("up",), "up", "One view up.", "views"),
    Action("move(1)", ("down",), "down", "One view down.", "views"),
    Action("forget", ("delete", "ctrl+d"), "forget", "Delete the saved view.", "views", 3),
    Action("cancel", ("escape",), "close", "Close without choosing.", "views", 2),
    Action("quit", ("ctrl+c",), "quit", "Leave the workbench.", "views"),
    Action("close", ("escape", "question_mark", "e"), "close", "Back to where you were.", "reader", 1),
    Action("accept", ("enter",), "do it", "Do what is highlighted.", "reader"),
    Action("scroll(-1)", ("up", "k"), "up", "One line up.", "reader", 2),
    Action("scroll(1)", ("down", "j"), "down", "One line down.", "reader", 3),
    Action("page(1)", ("pagedown", "space"), "page down", "One page down.", "reader", 4),
    Action("page(-1)", ("pageup",), "page up", "One page up.", "reader"),
    Action("page(-99)", ("home", "g"), "first", "To the beginning.", "reader"),
    Action("page(99)", ("end", "G"), "last", "To the end.", "reader"),
    Action("quit", ("q", "ctrl+c"), "quit", "Leave the workbench.", "reader"),
)


def panel_actions(panels: Iterable[tuple[str, str, str]], among: Sequence[Action] = ACTIONS) -> tuple[Action, ...]:
    """Actions that open panels, from (name, title, key); a key that is taken is left out, the list has them all."""
    taken = {key for action in among if action.scope not in DIALOGS for key in action.keys}
    made = []
    for name, title, key in panels:
        if len(key) == 1 and key.isalnum() and key.isascii() and key not in taken:
            taken.add(key)
            made.append(Action(f"panel({name!r})", (key,), title, f"Show {title}.", "app"))
    return tuple(made)


def own_action(action: Offered, taken: Collection[str]) -> Action:
    """An action of a plugin's panel; without a key where the interface has that key itself."""
    key = action.key if len(action.key) == 1 and action.key.isalnum() and action.key not in taken else ""
    words = action.help or action.label
    return Action(f"act({action.name!r})", (key,) if key else (), action.label, words, "panel", 4 if key else 0)


def actions_in(
    scopes: Sequence[Scope], extra: Sequence[Action] = (), among: Sequence[Action] = ACTIONS
) -> list[Action]:
    """Every action that applies in these scopes; where two share a key, the earlier scope has it."""
    order = {scope: place for place, scope in enumerate(scopes)}
    found = sorted((a for a in (*among, *extra) if a.scope in order), key=lambda action: order[action.scope])
    taken: set[str] = set()
    kept = []
    for action in found:
        if not taken.intersection(action.keys):
            kept.append(action)
            taken.update(action.keys)
    return kept


def footer_actions(actions: Sequence[Action], most: int = 7) -> list[Action]:
    """The few actions worth a place in the footer, in its order; back, help and quit are always among them."""
    ranked = sorted((action for action in actions if action.footer), key=lambda action: action.footer)
    last = [action for action in ranked if action.footer >= 90]
    return [action for action in ranked if action.footer < 90][: most - len(last)] + last
