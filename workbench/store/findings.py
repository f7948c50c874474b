"""Findings of monitors and runs: told anew after each evaluation, kept for good; the latest of each one hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from workbench.core.model import Finding
from workbench.store.rows import first_row, insert_rows
from workbench.store.windows import RULE, append_windows, monitor_inputs

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MONITOR = "rule.monitor"
"""In the evidence of a rule's finding: the monitor that it is about, if it is about one."""
_SEVERITIES = ("bad", "warn", "info")
_TYPES = (
    "BIGINT", "VARCHAR", "VARCHAR", "INTEGER", "INTEGER", "VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR", "DOUBLE",
    "DOUBLE", "DOUBLE", "VARCHAR", "VARCHAR", "VARCHAR",
)  # fmt: skip


def unjudged_monitors(con: DuckDBPyConnection, engine: int) -> list[str]:
    """Monitors whose newest evaluation has not been looked at by this engine: after it, and after a crash."""
    rows = con.execute(
        """SELECT monitor FROM monitor m ANTI JOIN judgement_log j
            ON (j.monitor, j.spec, j.commit_id, j.engine) = (m.monitor, m.spec, m.commit_id, $1)
        WHERE NOT starts_with(monitor, $2) ORDER BY monitor""",
        [engine, RULE],
    ).fetchall()
    return [row[0] for row in rows]


def append_findings(con: DuckDBPyConnection, monitor: str, engine: int, findings: Sequence[Finding]) -> None:
    """Write what was found in a monitor's newest evaluation, in the open transaction; none is written down as none."""
    newest = first_row(con, "SELECT commit_id, spec FROM monitor WHERE monitor = ?", [monitor])
    if newest is None:
        return
    commit, spec = newest
    con.execute("INSERT INTO judgement_log VALUES (?, ?, ?, ?, ?)", [commit, monitor, spec, engine, len(findings)])
    rows: list[tuple[Any, ...]] = [
        (
            commit, monitor, spec, engine, at, each.kind, each.subject, each.severity, each.sentence, each.since,
            each.until, each.confidence, json.dumps(each.evidence, default=str), each.segment, each.run,
        )
        for at, each in enumerate(findings)
    ]  # fmt: skip
    insert_rows(con, "finding_log", _TYPES, rows)


def append_rule(con: DuckDBPyConnection, name: str, engine: int, digest: str, findings: Sequence[Finding]) -> None:
    """Write what a rule finds now, in the open transaction; `digest` tells this answer from another."""
    kept = [replace(each, evidence={**each.evidence, _MONITOR: each.monitor}) for each in findings]
    append_windows(con, f"{RULE}{name}", "rule", digest, "", ())
    append_findings(con, f"{RULE}{name}", engine, kept)


def told_rules(con: DuckDBPyConnection) -> dict[str, str]:
    """Rules that were asked before, each with the digest of what it found last."""
    known = {name.removeprefix(RULE): told for name, told in monitor_inputs(con).items() if name.startswith(RULE)}
    return {name: digest for name, (_, digest) in known.items()}


def fetch_findings(con: DuckDBPyConnection, monitor: str = "", run: str = "") -> list[Finding]:
    """Findings that hold: those that go on first, the worst of them first, then the newest."""
    rows = con.execute(
        """SELECT kind, subject, severity, sentence, since, until, confidence, evidence, monitor, segment, run
        FROM finding WHERE ($1 = '' OR monitor = $1 OR starts_with(monitor, $4)) AND ($2 = '' OR run = $2)
        ORDER BY until IS NOT NULL, list_position($3, severity), since DESC, monitor, position""",
        [monitor, run, list(_SEVERITIES), RULE],
    ).fetchall()
    found = []
    for kind, subject, severity, sentence, since, until, confidence, evidence, name, segment, of_run in rows:
        known = json.loads(evidence)
        owner = known.pop(_MONITOR, "") if name.startswith(RULE) else name
        if monitor in ("", owner):
            found.append(
                Finding(kind, subject, severity, sentence, since, until, confidence, known, owner, segment, of_run)
            )
    return found


def in_order_of_worth(findings: Sequence[Finding]) -> list[Finding]:
    """Those that go on first, the worst of them first, then the newest."""
    return sorted(
        findings,
        key=lambda each: (each.until is not None, _SEVERITIES.index(each.severity), -(each.since or 0.0)),
    )
