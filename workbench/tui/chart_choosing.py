"""Which chart is meant, and how charts stand: moving, opening, folding, pinning, filtering, axes and marks."""

from __future__ import annotations

import os
from collections.abc import Sequence

from textual import on

from workbench.core.series_charts import Chart, matching
from workbench.panels.parts import labels_of
from workbench.tui.chart_asking import ChartAsking
from workbench.tui.chart_grid import ChartGrid
from workbench.tui.chart_images import MISSING, ImageScreen, ImagesLoaded, installed, load_images
from workbench.tui.chart_layout import beside, slots_of, turned
from workbench.tui.chart_manner import axis_options
from workbench.tui.dialogs import Chooser
from workbench.tui.prompt import Verdict
from workbench.tui.run_words import count
from workbench.tui.session import MARKERS
from workbench.tui.terminal_answers import ANSWERS

MANY = 1_000_000
"""More charts than there are."""


class ChartChoosing(ChartAsking):
    """Actions on the grid as a whole, and on the chart at the cursor."""

    selected = ""
    """Id of the slot at the cursor."""
    opened: Chart | None = None
    """The chart that fills the screen."""
    filter = ""
    """Words that titles must hold."""
    preview: str | None = None
    """The filter that is being typed."""
    every: Sequence[Chart] = ()
    """All charts there are, whatever the filter."""

    @property
    def has_charts(self) -> bool:
        """Whether there is any chart to draw."""
        return bool(self.every)

    @property
    def wanted(self) -> str:
        """The filter as it stands, or as it is being typed."""
        return self.filter if self.preview is None else self.preview

    def select(self, id: str) -> None:
        """Put the cursor on a chart or a heading."""
        self.selected = id
        self.redraw()

    def action_up(self) -> None:
        """The chart above."""
        self.select(beside(self.charts.pages, self.selected, -1))

    def action_down(self) -> None:
        """The chart below."""
        self.select(beside(self.charts.pages, self.selected, 1))

    def action_turn(self, by: int) -> None:
        """The chart before or behind; full screen too."""
        pages = self.charts.pages
        if self.opened is None:
            self.select(turned(pages, self.selected, by))
            return
        self.selected = turned(pages, self.selected, by, charts_only=True)
        self._open_chart(self.selected)

    def action_page(self, by: int) -> None:
        """A page on or back."""
        grid = self.charts
        place = max(0, min(len(grid.pages) - 1, grid.page + by))
        if grid.pages:
            slots = slots_of(grid.pages[place])
            self.select(next((slot for slot in slots if slot.chart is not None), slots[0]).id)

    def action_top(self) -> None:
        """The first chart."""
        self.select(turned(self.charts.pages, self.selected, -MANY, charts_only=True))

    def action_bottom(self) -> None:
        """The last chart."""
        self.select(turned(self.charts.pages, self.selected, MANY, charts_only=True))

    # Opening and folding

    def action_open(self) -> None:
        """Open the chart at the cursor full screen; a group folds or unfolds."""
        if self.selected.startswith("group:"):
            self.action_fold()
        else:
            self._open_chart(self.selected)

    def _open_chart(self, id: str) -> None:
        """Full screen; a curve of two metrics is read on its own x axis."""
        found = next((chart for chart in self.every if f"chart:{chart.title}" == id), None)
        if found is None:
            return
        if found.kind == "image":
            self._show_image(found)
            return
        if (self.opened or found).kind != "metric" or found.kind != "metric":
            self.crosshair = self.span = None
        self.opened = found
        self.redraw()

    def _show_image(self, chart: Chart) -> None:
        """The image of each run that has one; the library is loaded, and the files read, off the event loop."""
        self.opened = None
        if not installed():
            self.workbench.say(MISSING, bad=True)
            return
        names = dict(zip((run.id for run in self.runs), labels_of(self.runs), strict=True))
        images = [
            (names[run.id], image)
            for run in self.runs
            for image in self.points.images(run.id)
            if image.name == chart.keys[0]
        ]
        self.workbench.say("reading the image …")
        if self.app._driver is not None:
            ANSWERS.exact_colors = self.workbench.color_count > 256 and "NO_COLOR" not in os.environ
            ANSWERS.ask(self.app._driver.write)
        self.run_in_lane(lambda: load_images(chart.title, images))

    @on(ImagesLoaded)
    def _images_loaded(self, event: ImagesLoaded) -> None:
        event.stop()
        self.answered()
        if event.error:
            self.workbench.say(event.error, bad=True)
        elif self.is_current:
            self.app.clear_notifications()
            self.app.push_screen(ImageScreen(event.title, event.pictures, event.widget))

    def close_chart(self) -> None:
        """Back to the grid."""
        if self.opened is not None and self.opened.kind != "metric":
            self.crosshair = self.span = None
        self.opened = None
        self.redraw()

    def _group_at_cursor(self) -> str | None:
        slots = [slot for page in self.charts.pages for slot in slots_of(page)]
        return next((slot.group.id for slot in slots if slot.id == self.selected), None)

    def action_fold(self) -> None:
        """Fold the group at the cursor, or unfold it."""
        group = self._group_at_cursor()
        if group is None:
            return
        folded = self.workbench.view.folded
        kept = tuple(each for each in folded if each != group)
        self.selected = f"group:{group}"
        self.workbench.change_view(folded=kept if group in folded else (*folded, group))

    def action_fold_all(self) -> None:
        """Fold every group, or unfold all."""
        groups = [group.id for group in self.charts.scene.groups]
        folded = () if self.workbench.view.folded else tuple(groups)
        group = self._group_at_cursor()
        if folded and group is not None:
            self.selected = f"group:{group}"
        self.workbench.change_view(folded=folded)

    def action_pin(self) -> None:
        """Pin the chart at the cursor to the top, or take it down."""
        title = self.opened.title if self.opened is not None else self.selected.partition(":")[2]
        if self.selected.startswith("group:") and self.opened is None:
            return
        pinned = self.workbench.view.pinned
        kept = tuple(each for each in pinned if each != title)
        self.workbench.change_view(pinned=kept if title in pinned else (*pinned, title))
        self.workbench.say(f"{title} is {'no longer pinned' if title in pinned else 'pinned to the top'}")

    @on(ChartGrid.Picked)
    def _picked(self, event: ChartGrid.Picked) -> None:
        event.stop()
        self.select(event.id)
        if event.id.startswith("group:"):
            self.action_fold()
        elif event.twice and self.opened is None:
            self.action_open()

    @on(ChartGrid.Zoomed)
    def _wheeled(self, event: ChartGrid.Zoomed) -> None:
        event.stop()
        if event.x is not None:
            self.zoom(event.steps, event.x)
        elif self.opened is None:
            self.action_page(-event.steps)

    # Filtering

    def action_filter(self) -> None:
        """Type words that titles must hold, with the grid following."""
        self.ask("loss !train", self.filter, self._judge, self._filtered)

    def _judge(self, words: str) -> Verdict:
        if self.preview != words:
            self.preview = words
            self.redraw()
        shown = len(matching(self.every, words))
        return Verdict(f"{count(shown, 'chart')} {'match' if shown != 1 else 'matches'}; !word leaves out")

    def _filtered(self, words: str | None) -> None:
        self.preview = None
        self.filter = self.filter if words is None else words.strip()
        self.redraw()

    # How charts are drawn

    def action_axis(self) -> None:
        """Choose the x axis."""
        options = axis_options(self.workbench.view, self.runs)
        self.app.push_screen(Chooser("X axis", lambda: options), self._axis_chosen)

    def _axis_chosen(self, axis: str | None) -> None:
        if axis is not None:
            self.workbench.change_view(x=axis)

    def action_log_x(self) -> None:
        """Logarithmic x axis on or off."""
        on = not self.workbench.view.log_x
        self.workbench.change_view(log_x=on)
        self.workbench.say(f"x axis: {'logarithmic' if on else 'linear'}")

    def action_marker(self) -> None:
        """The next kind of marks."""
        now = self.manner.marker
        marker = MARKERS[(MARKERS.index(now) + 1) % len(MARKERS)]
        self.workbench.change_view(marker=marker)
        self.workbench.say(f"curves drawn in {marker}")
