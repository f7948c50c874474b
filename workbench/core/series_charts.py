"""Which charts a set of metrics makes: one a metric, one a curve of two, one a confusion matrix; in groups by prefix.

Two series of one length are a curve where their keys say so: `roc/fpr` and `roc/tpr`, `pr/recall` and
`pr/precision`, or `roc/NAME/fpr` and so on; the step counts the thresholds. `confusion/TRUE/PREDICTED` is a cell of a
confusion matrix. All may have words in front: `val/roc/cat/fpr`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

from msgspec import Struct

Kind = Literal["metric", "curve", "confusion", "histogram", "image"]

CURVES: Mapping[str, tuple[str, str]] = {"roc": ("fpr", "tpr"), "pr": ("recall", "precision")}
"""Folders of curves, with the names of their x and y."""
CONFUSION = frozenset({"confusion", "confusion_matrix"})
PINNED = "*"
"""Id of the group of what is pinned, which no prefix is."""


class Chart(Struct, frozen=True):
    """One chart: a metric's key, x and y of a curve, every cell of a matrix, a histogram's key, an image's name."""

    title: str
    keys: tuple[str, ...]
    kind: Kind = "metric"

    @property
    def prefix(self) -> str:
        """The words before the first slash; empty where there is none."""
        head, slash, _ = self.title.partition("/")
        return head if slash else ""


class Group(Struct, frozen=True):
    """Charts that share a prefix, or are pinned."""

    id: str
    charts: tuple[Chart, ...]

    @property
    def title(self) -> str:
        """What stands above its charts."""
        return "pinned" if self.id == PINNED else f"{self.id}/" if self.id else "metrics"


def charts_of(keys: Sequence[str], histograms: Collection[str] = (), images: Collection[str] = ()) -> list[Chart]:
    """Charts in the order of the keys they are first made of, histograms and images behind them."""
    known = frozenset(keys)
    made: dict[str, Chart] = {}
    for key in keys:
        chart = _pair(key, known) or _matrix(key) or Chart(key, (key,))
        if chart.kind == "confusion" and chart.title in made:
            before = made[chart.title]
            chart = Chart(chart.title, (*before.keys, *chart.keys), "confusion")
        made[chart.title] = chart
    shaded = [Chart(key, (key,), "histogram") for key in sorted(histograms)]
    return [*made.values(), *shaded, *(Chart(f"images/{name}", (name,), "image") for name in sorted(images))]


def _pair(key: str, known: frozenset[str]) -> Chart | None:
    """The curve that a key is one half of, where the other half was logged too."""
    *folders, last = key.split("/")
    for folder, (x, y) in CURVES.items():
        if last in (x, y) and folder in folders[-2:]:
            parts = tuple("/".join([*folders, end]) for end in (x, y))
            if known.issuperset(parts):
                return Chart("/".join(folders), parts, "curve")
    return None


def _matrix(key: str) -> Chart | None:
    folder, _, cell = key.rpartition("/")
    title, _, row = folder.rpartition("/")
    if title.rpartition("/")[2] in CONFUSION and row and cell:
        return Chart(title, (key,), "confusion")
    return None


def cells(chart: Chart) -> tuple[list[str], list[str]]:
    """Labels of a confusion matrix, true and predicted, in the order they were logged; those of both come first."""
    pairs = [key.split("/")[-2:] for key in chart.keys]
    true = list(dict.fromkeys(row for row, _ in pairs))
    predicted = list(dict.fromkeys(column for _, column in pairs))
    both = [label for label in true if label in predicted]
    return ([*both, *(each for each in true if each not in both)],
            [*both, *(each for each in predicted if each not in both)])  # fmt: skip


def matching(charts: Sequence[Chart], words: str) -> list[Chart]:
    """Charts whose title holds every word, whatever its case; a word behind `!` must not be in it."""
    wanted = words.casefold().split()
    return [chart for chart in charts if all(_holds(chart.title.casefold(), word) for word in wanted)]


def _holds(title: str, word: str) -> bool:
    return word[1:] not in title if len(word) > 1 and word[0] == "!" else word in title


def grouped(charts: Sequence[Chart], pinned: Collection[str] = ()) -> list[Group]:
    """Pinned charts first, in the order they were pinned; then groups by prefix, in the order of their first charts."""
    by_title = {chart.title: chart for chart in charts}
    groups: dict[str, list[Chart]] = {}
    for title in pinned:
        if title in by_title:
            groups.setdefault(PINNED, []).append(by_title[title])
    for chart in charts:
        if chart.title not in pinned:
            groups.setdefault(chart.prefix, []).append(chart)
    return [Group(id, tuple(members)) for id, members in groups.items()]
