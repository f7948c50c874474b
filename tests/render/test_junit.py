"""JUnit as CI servers take it: the rules of the schema that strict ones check, on gates of every kind."""

from __future__ import annotations

import re
from xml.etree import ElementTree as Xml

from workbench.core.gates import GateResult
from workbench.render.junit import render_junit

# What Jenkins' xUnit plugin checks (junit-10.xsd): allowed attributes, required ones, allowed children.
ATTRIBUTES = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, set()),
    "testsuite": (
        {"name", "tests", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname", "id", "package",
         "file", "log", "url"},
        {"name", "tests", "failures", "errors"},
    ),
    "testcase": ({"name", "time", "classname", "group"}, {"name"}),
    "failure": ({"type", "message"}, set()),
    "system-out": (set(), set()),
}  # fmt: skip
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testsuite", "properties", "testcase", "system-out", "system-err"},
    "testcase": {"skipped", "error", "failure", "system-out", "system-err"},
    "failure": set(),
    "system-out": set(),
}
TIME = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?")

GATES = (
    GateResult("good", "flights.auc >= 0.6", True, 0.7, 0.6, "0.7 is >= 0.6", "monitor flights"),
    GateResult("bad & <worse>", "a < 'b'", False, 0.9, 0.3, "fell since 2019-03-31\x1b[31m\x00 (98 %)", "monitor x"),
    GateResult("broken", "((", False, None, None, "cannot be read", ""),
)


def check(element: Xml.Element) -> None:
    allowed, required = ATTRIBUTES[element.tag]
    assert required <= set(element.keys()) <= allowed, element.tag
    assert {child.tag for child in element} <= CHILDREN[element.tag]
    assert TIME.fullmatch(element.get("time", "0"))
    for child in element:
        check(child)


def test_a_strict_server_takes_it() -> None:
    for gates in ((), GATES, GATES[:1]):
        check(Xml.fromstring(render_junit(gates, "a \x1b report", 1_763_787_600.0)))


def test_the_counts_are_those_of_the_cases() -> None:
    root = Xml.fromstring(render_junit(GATES, "report"))
    (suite,) = root
    assert (suite.get("tests"), suite.get("failures")) == ("3", "2")
    assert len(suite.findall("testcase")) == 3
    assert [case.get("name") for case in suite if case.find("failure") is not None] == ["bad & <worse>", "broken"]


def test_a_failure_says_what_and_since_when() -> None:
    root = Xml.fromstring(render_junit(GATES, "report"))
    failure = root.find(".//failure")
    assert failure is not None
    assert "since 2019-03-31" in failure.get("message", "")
    assert "value: 0.9" in (failure.text or "") and "limit: 0.3" in (failure.text or "")
