"""Reports a reviewer can read; `UPDATE_GOLDENS=1 pytest tests/render` writes them anew."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from workbench.core.query import Fit
from workbench.render.formats import render
from workbench.render.text import render_text

GOLDENS = Path(__file__).parent / "goldens"


def check(name: str, text: str) -> None:
    path = GOLDENS / name
    if os.environ.get("UPDATE_GOLDENS"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("columns", [80, 160])
def test_the_text_report_reads_well(report, columns):
    text = render(report, "text", Fit(columns))
    assert max(map(len, text.splitlines())) <= columns
    check(f"report-{columns}.txt", text)


def test_the_text_report_reads_well_in_ascii(report):
    text = render(report, "text", Fit(72, unicode=False))
    assert set(text) - set(map(chr, range(128))) == set("●✓✗")  # what the panel itself wrote as text
    check("report-ascii.txt", text)


def test_the_markdown_report_reads_well(report):
    check("report.md", render(report, "md"))


def test_the_json_report_is_for_scripts(report):
    small = type(report)(report.title, report.subtitle, report.sections[:2], report.gates, report.generated_at)
    check("report.json", render(small, "json"))


def test_the_junit_report_names_every_gate(report):
    check("report.junit.xml", render(report, "junit"))


def test_a_narrow_terminal_gets_the_columns_that_matter_most(runs_and_losses):
    check("runs-44.txt", render_text(runs_and_losses, Fit(44)))


def test_reports_made_at_the_same_time_do_not_mix(report):
    alone = render(report, "text", Fit(80))
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda columns: render(report, "text", Fit(columns)), [80, 120, 80, 100, 80]))
    assert [together[0], together[2], together[4]] == [alone] * 3
