"""Gates as JUnit XML, which CI systems show as tests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from workbench.core import units
from workbench.core.gates import GateResult
from workbench.core.text import plain

# Beyond what `plain` shows as pictures nothing of this is left, but it must never break the file.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_junit(gates: Sequence[GateResult], title: str, generated_at: float | None = None) -> str:
    """One test suite with a test case for each gate; those that did not pass are failures, with the reason."""
    failures = sum(not gate.passed for gate in gates)
    counts = {"tests": str(len(gates)), "failures": str(failures), "errors": "0", "skipped": "0"}
    # The strict servers know no skipped tests of all suites together.
    root = Xml.Element("testsuites", {"name": _legal(title), "time": "0", **dict(list(counts.items())[:3])})
    suite = Xml.SubElement(root, "testsuite", {"name": _legal(title), "time": "0", **counts})
    if generated_at is not None:
        suite.set("timestamp", units.timestamp(generated_at).removesuffix("Z"))
    for gate in gates:
        names = {"classname": _legal(gate.subject or "gates"), "name": _legal(gate.name), "time": "0"}
        case = Xml.SubElement(suite, "testcase", names)
        if not gate.passed:
            failure = Xml.SubElement(case, "failure", {"type": "gate", "message": _legal(gate.message)})
            failure.text = _legal(_evidence(gate), multiline=True)
        else:
            Xml.SubElement(case, "system-out").text = _legal(_evidence(gate), multiline=True)
    Xml.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{Xml.tostring(root, encoding="unicode")}\n'


def _evidence(gate: GateResult) -> str:
    value, limit = units.number(gate.value, 8), units.number(gate.limit, 8)
    return f"{gate.check}\nvalue: {value}\nlimit: {limit}\n{gate.message}".rstrip()


def _legal(text: str, *, multiline: bool = False) -> str:
    return _ILLEGAL.sub("", plain(text, multiline=multiline))
