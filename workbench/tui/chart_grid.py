"""The grid of charts: draws a page of them, and says what the mouse does over which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip

from workbench.core.model import Run
from workbench.core.series_charts import Chart, Group
from workbench.tui.action import Scope
from workbench.tui.changes import changed_regions
from workbench.tui.chart_draw import Canvas, Picture, full, heading, legend, message, tile
from workbench.tui.chart_heat import confusion, histogram
from workbench.tui.chart_images import MISSING, installed
from workbench.tui.chart_layout import GAP, Page, Slot, page_of, pages_of, slots_of
from workbench.tui.chart_lines import ChartLines, Curves, colors_of
from workbench.tui.chart_manner import Manner
from workbench.tui.chart_mouse import ChartMouse
from workbench.tui.chart_points import ChartPoints
from workbench.tui.desk import Desk
from workbench.tui.look import Look

LEAST_SHADED = 8
"""Rows of a histogram or matrix of one of several runs."""


class Scene(Struct, frozen=True):
    """What is to be seen: which charts of which runs, how, and where they are read."""

    groups: Sequence[Group] = ()
    folded: tuple[str, ...] = ()
    runs: Sequence[Run] = ()
    names: Sequence[str] = ()
    manner: Manner = Manner()
    crosshair: float | None = None
    selected: str = ""
    opened: Chart | None = None
    """The chart that fills the screen."""
    waits: str = "reading …"
    """What stands where values are still to come."""


class ChartGrid(ChartMouse, can_focus=False, inherit_bindings=False):
    """Draws a scene; lines that come out the same are not sent again."""

    class Resized(Message):
        """There is another room for charts, and so there may be other charts."""

    DEFAULT_CSS = "ChartGrid { height: 1fr; width: 1fr; }"

    def __init__(self, points: ChartPoints, look: Callable[[], Look], unit: Callable[[str], str], *, id: str) -> None:
        super().__init__(id=id)
        self._points = points
        self._lines = ChartLines(points)
        self._look = look
        self._unit = unit
        self._pictures: dict[str, Picture] = {}
        self._strips: list[Strip] = []
        self._slots: list[tuple[Slot, Curves | None]] = []
        self.scene = Scene()
        self.pages: list[Page] = []
        self.page = 0

    def _key(self, scope: Scope, action: str) -> str:
        return cast("Desk", self.app).key_for(action, scope)

    # What is seen

    def show(self, scene: Scene) -> None:
        """Draw another scene."""
        self.scene = scene
        self.redraw()

    def redraw(self) -> None:
        """Draw again, and send the lines that came out different."""
        width, height = self.size
        if not width or not height:
            return
        before, self._strips = self._strips, self._drawn(width, height)
        if len(before) != len(self._strips):
            self.refresh()
            return
        lines = enumerate(zip(before, self._strips, strict=True))
        changed = [region for y, (old, new) in lines if old != new for region in changed_regions(old, new, y, width)]
        if changed:
            self.refresh(*changed)

    def render_line(self, y: int) -> Strip:
        """One line."""
        strip = self._strips[y] if y < len(self._strips) else Strip([])
        return strip.adjust_cell_length(self.size.width, self._look().base)

    def on_resize(self, event: events.Resize) -> None:
        """Draw for the new size."""
        self._strips = []
        self.redraw()
        self.post_message(self.Resized())

    @property
    def on_screen(self) -> list[Chart]:
        """Charts on the screen."""
        return [slot.chart for slot, _ in self._slots if slot.chart is not None]

    @property
    def slots(self) -> list[Slot]:
        """Charts and headings on the screen, where they stand."""
        return [slot for slot, _ in self._slots]

    @property
    def upcoming(self) -> list[Chart]:
        """Charts of the next page."""
        following = self.pages[self.page + 1 : self.page + 2] if self.scene.opened is None else []
        return [slot.chart for page in following for slot in slots_of(page) if slot.chart is not None]

    def curves_of(self, chart: Chart) -> Curves:
        """A chart's curves as they are drawn."""
        scene = self.scene
        return self._lines.curves(chart, scene.runs, scene.names, self._manner(chart), self._unit(chart.title))

    def span_of(self, chart: Chart) -> tuple[float, float] | None:
        """The x values in sight of a chart; None where nothing is drawn."""
        frame = self._pictures[chart.title].frame if chart.title in self._pictures else None
        return None if frame is None or not frame.width else (frame.x_low, frame.x_high)

    def columns_of(self, chart: Chart | None) -> int:
        """Columns of a chart's curves; 1 where nothing is drawn."""
        frame = self._pictures[chart.title].frame if chart is not None and chart.title in self._pictures else None
        return 1 if frame is None else max(frame.width, 1)

    @property
    def extent(self) -> tuple[float, float] | None:
        """The lowest and highest x of every metric on the screen."""
        known = [curves.extent for _, curves in self._slots if curves is not None and curves.extent is not None]
        return (min(low for low, _ in known), max(high for _, high in known)) if known else None

    # Drawing

    def _manner(self, chart: Chart) -> Manner:
        """Curves of two metrics have an x of their own: no zoom of the others is theirs."""
        manner = self.scene.manner
        return manner if chart.kind == "metric" else Manner(marker=manner.marker)

    def _drawn(self, width: int, height: int) -> list[Strip]:
        scene = self.scene
        self.pages = pages_of(scene.groups, scene.folded, width, height - 1)
        self.page = page_of(self.pages, scene.selected)
        self._slots = []
        if scene.opened is not None:
            return self._opened(scene.opened, Slot(Group("", (scene.opened,)), scene.opened, 0, width, 0, height))
        canvas = Canvas(width, height, self._look(), scene.manner)
        strips = legend(scene.names, colors_of(scene.runs), canvas)
        if not self.pages:
            strips += message(f"no chart matches the filter, {self._key('app', 'back')} clears it", canvas, height - 1)
        for row in self.pages[self.page] if self.pages else ():
            strips += self._row(row, width)
        return strips + [canvas.blank()] * (height - len(strips))

    def _row(self, row: Sequence[Slot], width: int) -> list[Strip]:
        """Slots side by side."""
        look = self._look()
        gap = Strip.blank(GAP, look.base)
        drawn = [self._slot(replace(slot, y=slot.y + 1)) for slot in row]
        strips = []
        for pieces in zip(*drawn, strict=True):
            line = [part for piece in pieces for part in (piece, gap)][:-1]
            strips.append(Strip.join(line).adjust_cell_length(width, look.base))
        return strips

    def _slot(self, slot: Slot) -> list[Strip]:
        selected = slot.id == self.scene.selected
        if slot.chart is None:
            self._slots.append((slot, None))
            return [self._heading(slot, selected)]
        manner = self._manner(slot.chart)
        crosshair = self.scene.crosshair if slot.chart.kind == "metric" else None
        canvas = Canvas(slot.width, slot.height, self._look(), manner, crosshair, selected, self.scene.waits)
        if slot.chart.kind in ("metric", "curve"):
            curves = self.curves_of(slot.chart)
            self._slots.append((slot, curves if slot.chart.kind == "metric" else None))
            return tile(slot.chart.title, curves, self._picture(slot.chart), canvas)
        self._slots.append((slot, None))
        return self._shaded_tile(slot.chart, canvas)

    def _heading(self, slot: Slot, selected: bool) -> Strip:
        look = self._look()
        folded = slot.group.id in self.scene.folded
        count = len(slot.group.charts)
        words = f"{'▸' if folded else '▾'} {slot.group.title}"
        right = [Segment(f"{count} {'chart' if count == 1 else 'charts'} ", look.dim)]
        return heading(words, right, Canvas(slot.width, 1, look, self.scene.manner, None, selected))

    def _picture(self, chart: Chart) -> Picture:
        return self._pictures.setdefault(chart.title, Picture())

    def _shaded_tile(self, chart: Chart, canvas: Canvas) -> list[Strip]:
        """A histogram or a confusion matrix of the first run that has one."""
        owners = self._owners(chart)
        more = f" +{len(owners) - 1}" if len(owners) > 1 else ""
        name = [Segment(f"{self.scene.names[owners[0]]}{more} ", canvas.look.dim)] if owners else []
        head = heading(chart.title, name, canvas)
        if not owners:
            return [head, *message(canvas.waits, canvas, canvas.height - 1)]
        return [head, *self._shaded(chart, self.scene.runs[owners[0]], canvas, canvas.height - 1)]

    def _owners(self, chart: Chart) -> list[int]:
        """Places of the runs that have a histogram or a matrix."""
        if chart.kind == "histogram":
            having = [chart.title in self._points.histogram_keys(run.id) for run in self.scene.runs]
        elif chart.kind == "image":
            named = [[image.name for image in self._points.images(run.id)] for run in self.scene.runs]
            having = [chart.keys[0] in names for names in named]
        else:
            having = [any(key in run.metrics for key in chart.keys) for run in self.scene.runs]
        return [place for place, has in enumerate(having) if has]

    def _shaded(self, chart: Chart, run: Run, canvas: Canvas, height: int) -> list[Strip]:
        if chart.kind == "image":
            words = f"an image: {self._key('charts', 'open')} shows it" if installed() else MISSING
            return message(words, canvas, height)
        if chart.kind == "histogram":
            return histogram(self._points.histograms(run.id, chart.title), canvas, height)
        counts = {}
        for key in chart.keys:
            series = self._points.series(run.id, key)
            if series is not None and len(series.value):
                counts[key] = float(series.value[-1])
        return confusion(chart, counts, canvas, height)

    def _opened(self, chart: Chart, slot: Slot) -> list[Strip]:
        """One chart on the whole screen; histograms and matrices of several runs below each other."""
        scene = self.scene
        canvas = Canvas(slot.width, slot.height, self._look(), self._manner(chart), scene.crosshair, waits=scene.waits)
        if chart.kind in ("metric", "curve"):
            curves = self.curves_of(chart)
            self._slots = [(slot, curves)]
            return full(curves, self._picture(chart), canvas)
        self._slots = [(slot, None)]
        owners = self._owners(chart)
        strips: list[Strip] = []
        share = max(slot.height // max(len(owners), 1), LEAST_SHADED)
        for place in owners:
            name = Canvas(slot.width, 1, self._look(), self.scene.manner)
            strips += [heading(self.scene.names[place], (), name)]
            strips += self._shaded(chart, self.scene.runs[place], canvas, share - 1)
        return (strips + [canvas.blank()] * slot.height)[: slot.height]

    def under(self, x: int, y: int) -> tuple[Slot | None, float | None]:
        """The slot at a cell, and the logged x nearest to it where a chart is read there."""
        for slot, curves in self._slots:
            if slot.holds(x, y):
                frame = self._pictures[slot.chart.title].frame if slot.chart and curves is not None else None
                wanted = None if frame is None else frame.x_at(x - slot.x)
                if wanted is None or curves is None or not len(curves.places):
                    return slot, None
                place = int(np.argmin(np.abs(curves.places - wanted)))
                return slot, float(curves.places[place])
        return None, None
