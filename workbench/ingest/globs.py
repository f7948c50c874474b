"""Glob patterns over whole paths: `*` stays within a folder, `**` does not."""

from __future__ import annotations

import re


def glob_regex(pattern: str) -> str:
    """A glob pattern as a regular expression for `fullmatch`."""
    made, i = [], 0
    while i < len(pattern):
        end = pattern.find("]", i + 2) + 1 if pattern[i] == "[" else 0
        if pattern.startswith("**/", i):
            made.append("(?:.*/)?")
            i += 3
        elif pattern.startswith("**", i):
            made.append(".*")
            i += 2
        elif end:
            negated = pattern[i + 1] in "!^"
            letters = re.escape(pattern[i + 1 + negated : end - 1]).replace(r"\-", "-")
            made.append(f"[{'^' if negated else ''}{letters}]")
            i = end
        else:
            made.append({"*": "[^/]*", "?": "[^/]"}.get(pattern[i], re.escape(pattern[i])))
            i += 1
    return "".join(made)
