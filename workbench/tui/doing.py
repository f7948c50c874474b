"""What each typed command does here: checked first, with the place of what is wrong, then done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workbench.tui import doing_runs
from workbench.tui.action import word_of
from workbench.tui.commands import YANKED, Here, Prepared, checked_where, is_here, one_of, run_called
from workbench.tui.naming import column_key, metric_key, sort_key, the_one
from workbench.tui.run_words import count
from workbench.tui.table_actions import MOST_MARKED
from workbench.tui.words import Call, Refused, Word, parse


def prepare(line: str, known: Mapping[str, Word], here: Here) -> Prepared:
    """A line as something that can be done.

    Raises:
        Refused: it cannot be; with the place and the nearest right name.
    """
    call = parse(line, known)
    if call.word.outside or not is_here(call):
        if call.word.name in _DO or call.word.outside:
            return _outside(call, here)
        action = next(each for each in here.screen.offered() if word_of(each) == call.word.name)
        return Prepared(action.help, lambda: here.desk.do(action.id))
    return _DO[call.word.name](call, here)


def _outside(call: Call, here: Here) -> Prepared:
    if "--where" in call.options:
        checked_where(here, call.text("--where"), _value_at(call, "--where"))
    words = [*call.word.name.split(), *(token.text for token in call.tokens)]
    root = str(here.desk.root.resolve())
    if call.word.root == "option" and "--root" not in call.options:
        words += ["--root", root]
    elif call.word.root == "argument" and not call.arguments:
        words.append(root)
    return Prepared(call.word.summary, lambda: here.desk.run_outside(words))


def _value_at(call: Call, option: str) -> int:
    """Where the text of an option's value begins, behind its quote."""
    token = call.options[option]
    return token.start + token.quoted


def _runs(call: Call, here: Here) -> Prepared:
    changes: dict[str, Any] = {"where": call.text("--where") or call.rest, "hidden": "--all" in call.options}
    at = _value_at(call, "--where") if "--where" in call.options else call.end
    remark = checked_where(here, changes["where"], at)
    if "--sort" in call.options:
        changes["sort"] = sort_key(here, call.text("--sort"), call.at("--sort"))
        changes["descending"] = "--desc" in call.options
    if "--columns" in call.options:
        names = [name for name in call.text("--columns").split(",") if name]
        changes["columns"] = tuple(column_key(here, name, call.at("--columns")) for name in names)
    if "--metric" in call.options:
        metric_key(here, call.text("--metric"), call.at("--metric"))

    def effect() -> None:
        here.desk.show_panel("runs")
        here.desk.change_view(**changes)
        if "--metric" in call.options:
            here.desk.choose_metric(call.text("--metric"))

    return Prepared(remark, effect)


def _filter(call: Call, here: Here) -> Prepared:
    at = call.tokens[0].start if call.tokens else call.end
    remark = checked_where(here, call.raw, at)

    def effect() -> None:
        here.desk.show_panel("runs")
        here.desk.change_view(where=call.raw.strip())

    return Prepared(remark, effect)


def _sort(call: Call, here: Here) -> Prepared:
    token = the_one(call, "a column: age, name, val/loss …")
    key = sort_key(here, token.text, token.start)

    def effect() -> None:
        here.desk.show_panel("runs")
        here.desk.change_view(sort=key, descending="--desc" in call.options)

    return Prepared(f"sort by {key}", effect)


def _columns(call: Call, here: Here) -> Prepared:
    keys = tuple(column_key(here, token.text, token.start) for token in call.arguments)
    words = f"{count(len(keys), 'column')} in this order" if keys else "the columns the table chooses itself"

    def effect() -> None:
        here.desk.show_panel("runs")
        here.desk.change_view(columns=keys or None)

    return Prepared(words, effect)


def _metric(call: Call, here: Here) -> Prepared:
    token = the_one(call, "a metric")
    metric_key(here, token.text, token.start)
    return Prepared(f"{token.text} in the chart", lambda: here.desk.choose_metric(token.text))


def _theme(call: Call, here: Here) -> Prepared:
    token = the_one(call, "a theme")
    one_of(token.text, list(here.desk.available_themes), "theme", token.start)
    return Prepared(f"colours of {token.text}", lambda: here.desk.do(f"theme({token.text!r})"))


def _marked(call: Call, here: Here) -> tuple[str, ...]:
    """Ids of the runs that a call names, or that match its filter."""
    ids = [run_called(here, token.text, token.start).id for token in call.arguments]
    if "--where" in call.options:
        checked_where(here, call.text("--where"), _value_at(call, "--where"))
        ids += here.desk.rows.arrange(here.desk.view, call.text("--where"))[:MOST_MARKED]
    return tuple(dict.fromkeys(ids))


def _mark(call: Call, here: Here) -> Prepared:
    before = () if "--none" in call.options else here.desk.view.marks
    marks = tuple(dict.fromkeys((*before, *_marked(call, here))))
    if not call.options and not call.arguments:
        raise Refused("which runs? a name, --where EXPR, or --none", call.end, unfinished=True)
    return Prepared(f"{count(len(marks), 'run')} marked", lambda: here.desk.change_view(marks=marks))


def _compare(call: Call, here: Here) -> Prepared:
    marks = _marked(call, here) or here.desk.view.marks
    if "--metric" in call.options:
        metric_key(here, call.text("--metric"), call.at("--metric"))

    def effect() -> None:
        here.desk.change_view(marks=marks)
        if "--metric" in call.options:
            here.desk.choose_metric(call.text("--metric"))
        here.desk.show_panel("compare")

    return Prepared(f"{count(len(marks), 'run')} side by side" if marks else "the newest runs side by side", effect)


def _show(call: Call, here: Here) -> Prepared:
    run = run_called(here, call.rest, call.arguments[0].start) if call.arguments else here.current
    if run is None:
        raise Refused("which run?", call.end, unfinished=True)
    if "--metric" in call.options:
        metric_key(here, call.text("--metric"), call.at("--metric"))

    def effect() -> None:
        if "--metric" in call.options:
            here.desk.choose_metric(call.text("--metric"))
        here.desk.open_run(run.id)

    return Prepared(f"{run.name}, {run.status}", effect)


def _open(call: Call, here: Here) -> Prepared:
    token = the_one(call, "a view: " + ", ".join(name for name, _, _ in here.desk.tabs[:6]))
    titles = {name: title for name, title, _ in here.desk.tabs}
    name = one_of(token.text, titles, "view", token.start)
    return Prepared(titles[name], lambda: here.desk.show_panel(name))


def _monitor(call: Call, here: Here) -> Prepared:
    names = list(here.desk.monitors)
    if not names:
        raise Refused("no monitor here; [monitor.NAME] in workbench.toml makes one", call.end)
    name = one_of(call.arguments[0].text, names, "monitor", call.arguments[0].start) if call.arguments else names[0]

    def effect() -> None:
        here.desk.change_view(monitor=name)
        here.desk.show_panel("windows")

    return Prepared(f"windows of {name}", effect)


def _view(call: Call, here: Here) -> Prepared:
    views = here.desk.saved_views()
    if not call.arguments:
        raise Refused("which view? " + (", ".join(views) or "none is saved yet; --save keeps this one"), call.end,
                      unfinished=True)  # fmt: skip
    name = call.rest
    if "--save" in call.options:
        words = f"{'replace' if name in views else 'keep this as'} {name}"
        return Prepared(words, lambda: here.desk.save_view(name))
    one_of(name, views, "view", call.arguments[0].start)
    if "--delete" in call.options:
        return Prepared(f"forget {name}", lambda: here.desk.delete_view(name))
    return Prepared(f"open {name}", lambda: here.desk.open_view(name))


def _sql(call: Call, here: Here) -> Prepared:
    text = call.rest if len(call.arguments) == 1 else call.raw.strip()
    return Prepared("asked on the SQL screen", lambda: here.desk.do(f"sql({text!r})"))


def _yank(call: Call, here: Here) -> Prepared:
    token = the_one(call, f"what? {', '.join(YANKED)}")
    what = one_of(token.text, YANKED, "thing to copy", token.start)
    return Prepared(f"copy {what}", lambda: here.desk.yank(what))


def _action(action: str, words: str) -> Callable[[Call, Here], Prepared]:
    return lambda call, here: Prepared(words, lambda: here.desk.do(action))


_DO: Mapping[str, Callable[[Call, Here], Prepared]] = {
    "runs": _runs,
    "filter": _filter,
    "sort": _sort,
    "columns": _columns,
    "metric": _metric,
    "theme": _theme,
    "sql": _sql,
    "settings": _action("settings", "every setting, and what is wrong"),
    "mark": _mark,
    "compare": _compare,
    "show": _show,
    "open": _open,
    "panel": _open,
    "monitor": _monitor,
    "sources": lambda call, here: Prepared("files read, and how far", lambda: here.desk.show_panel("sources")),
    "tag": doing_runs.tag,
    "note": doing_runs.note,
    "baseline": doing_runs.baseline,
    "hide": doing_runs.hide,
    "rename": doing_runs.rename,
    "view": _view,
    "yank": _yank,
    "undo": _action("undo", "take back what was last written"),
    "redo": _action("redo", "do again what was taken back"),
    "help": _action("help", "every key that works here"),
    "quit": _action("quit", "leave"),
    "q": _action("quit", "leave"),
}
"""What the interface does itself, by the word for it."""
