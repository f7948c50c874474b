"""The manual's page about settings, made from the settings and actions themselves."""

from __future__ import annotations

from workbench.core.settings import OWN_THEMES, SETTINGS, TEXTUAL_THEMES, Setting, shown
from workbench.tui.action import SCOPE_TITLES
from workbench.tui.actions import ACTIONS
from workbench.tui.keymap import action_name

_INTRO = """\
# Settings and keys

Made by `workbench settings --reference`; a test holds it to the code.

The user's own file is `~/.config/workbench/settings.toml`, or `$XDG_CONFIG_HOME/workbench/settings.toml`. A project
says what concerns everybody who opens it under `[tui]` in its `workbench.toml`. The project wins over the user's file,
except that `read_only` and `safe` hold as soon as either asks for them; options of the command line win over both.
Both files are taken up while the interface is open. An entry that is wrong is left out and named, with its line and the
nearest right name; everything else holds. `workbench settings` prints what holds and who said so.

```toml
theme = "workbench-light"

[keys]                # an action wherever there is one of that name
crosshair = "c"

[keys.runs]           # the same, in one place
mark = ["m", "space"]

[keys.panels]         # the key that shows a panel
drift = "i"
```
"""
_KEYS = """
## Keys

A key is a character, or one of `enter`, `space`, `tab`, `esc`, `backspace`, `delete`, `insert`, `home`, `end`, `pgup`,
`pgdn`, `up`, `down`, `left`, `right`, `f2` to `f9`, `f12`; `ctrl+` may stand before letters and most of these, `shift+`
before arrows and the like. What terminals do not send, or use themselves, is refused with the reason, and so is a key
that another action of the same screen has. `ctrl+c` always leaves.
"""


def reference_page() -> str:
    """The page, as Markdown."""
    parts = [_INTRO, "\n## Settings\n\n| setting | default | who says | about |\n|---|---|---|---|\n"]
    parts += [_row(setting) for setting in SETTINGS]
    own, theirs = (", ".join(f"`{name}`" for name in names) for names in (OWN_THEMES, TEXTUAL_THEMES))
    parts.append(f"\nThemes: {own}; and those of Textual: {theirs}.\n")
    parts.append(_KEYS)
    for scope, title in SCOPE_TITLES.items():
        actions = [action for action in ACTIONS if action.scope == scope]
        if actions:
            parts.append(f"\n### {title} – `[keys.{scope}]`\n\n| action | keys | about |\n|---|---|---|\n")
            parts += [f"| `{action_name(a)}` | {_keys(a.shown_keys)} | {_cell(a.help)} |\n" for a in actions]
    return "".join(parts)


def _row(setting: Setting) -> str:
    who = "user" if setting.personal else "user, project"
    when = "" if setting.live else " From the next start on."
    span = f" {setting.low} to {setting.high:,}." if setting.kind == "whole" else ""
    few = 0 < len(setting.choices) < 10
    choices = f" One of {', '.join(f'`{each}`' for each in setting.choices)}." if few else ""
    default = f"`{shown(setting.default)}`"
    return f"| `{setting.name}` | {default} | {who} | {_cell(setting.help)}{choices}{span}{when} |\n"


def _keys(shown_keys: str) -> str:
    return " ".join(f"`` {key} ``" if key == "`" else f"`{_cell(key)}`" for key in shown_keys.split(" "))


def _cell(words: str) -> str:
    return words.replace("|", "\\|")
