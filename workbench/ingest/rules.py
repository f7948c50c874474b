"""Asks the rules of plugins when the project has changed, and keeps what they find beside monitors' findings."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from typing import get_args, get_type_hints

from msgspec.structs import replace

from workbench.core.model import Finding
from workbench.core.query import Query
from workbench.plugin.box import PluginError
from workbench.plugin.discovery import Loaded, loaded_rules, safe_mode
from workbench.plugin.guard import Guard, troubles
from workbench.store.findings import append_rule, told_rules
from workbench.store.store import Store

ENGINE = 1
MOST = 200
"""Findings that one rule may tell at once."""
_REST = 4.0
"""How many times the cost of asking the next asking waits: at most a fifth of a core goes into rules."""
_SEVERITIES = get_args(get_type_hints(Finding)["severity"])


def rule_watch(query: Query, store: Store, tell: Callable[[str], None] = lambda text: None) -> RuleWatch | None:
    """A watch over the rules of plugins; None where there are none, and none were asked before."""
    rules = loaded_rules()
    if safe_mode():
        return None
    with store.read() as con:
        known = told_rules(con)
    return RuleWatch(rules, query, store, tell) if rules or known else None


class RuleWatch:
    """Asks each rule after every change of the store, with a rest in between; one that fails says so as a finding."""

    def __init__(
        self, rules: Sequence[Loaded], query: Query, store: Store, tell: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._rules = {each.made.name: (each, Guard(each.plugin)) for each in rules}
        self._query = query
        self._store = store
        self._tell = tell
        self._clock = clock
        self._seen = ""
        self._next = 0.0

    def update(self) -> None:
        """Bring what rules find up to date; costs a look at the file while nothing changes."""
        revision = self._store.revision()
        if revision == self._seen or self._clock() < self._next:
            return
        started = self._clock()
        with self._store.read() as con:
            known = told_rules(con)
        for name in sorted({*known, *self._rules}):
            found = self._asked(name)
            digest = hashlib.blake2b(repr(found).encode(), digest_size=12).hexdigest()
            if digest != known.get(name):
                with self._store.write() as con:
                    append_rule(con, name, ENGINE, digest, found)
        self._seen = self._store.revision()
        self._next = self._clock() + _REST * (self._clock() - started)

    def _asked(self, name: str) -> Sequence[Finding]:
        """What a rule finds, or that it fails; nothing of one that is no longer installed."""
        if name not in self._rules:
            return ()
        loaded, guard = self._rules[name]
        if not guard.parked:
            found: Sequence[Finding] | None = guard.call(lambda: checked_findings(list(loaded.made(self._query))), None)
            if found is not None:
                return found
        failure = next((each for each in troubles() if each.plugin == loaded.plugin), None)
        words = f"{loaded.plugin.words} failed: {failure.error if failure else 'it gave no answer'}"
        self._tell(words)
        evidence = {"place": failure.place} if failure and failure.place else {}
        return (Finding("rule", name, "warn", words, evidence=evidence),)


def checked_findings(found: Sequence[object]) -> Sequence[Finding]:
    """What a rule told, as it can be kept.

    Raises:
        PluginError: something among it is no finding, or there is far too much.
    """
    if len(found) > MOST:
        raise PluginError(f"it told {len(found):,} findings, more than {MOST}: sum them up")
    kept = []
    for each in found:
        if not isinstance(each, Finding):
            raise PluginError(f"it gave a {type(each).__name__} instead of a Finding")
        texts = (each.kind, each.subject, each.sentence, each.monitor, each.segment, each.run)
        if not all(isinstance(text, str) for text in texts) or each.severity not in _SEVERITIES:
            raise PluginError(f"a finding's texts are text, and its severity one of {', '.join(_SEVERITIES)}: {each!r}")
        kept.append(replace(each, evidence=dict(each.evidence)))
    return kept
