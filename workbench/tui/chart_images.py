"""Images that runs made, shown where the library for it is installed; loaded only when one is opened."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message

from workbench.core import text
from workbench.core.model import Artifact
from workbench.tui.bars import Bar, Piece
from workbench.tui.dialogs import Dialog
from workbench.tui.keys import bindings
from workbench.tui.terminal_answers import ANSWERS, in_multiplexer

if TYPE_CHECKING:
    from workbench.core.query import Query

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp"})
FOLDER = "images/"
"""Group that images stand in."""
MISSING = "images need the package textual-image: pip install textual-image"
"""What is said where the library is not installed."""
LARGEST = (4000, 4000)
"""Pixels; a larger image is made smaller before it is drawn."""
LONGEST = 64 * 1024 * 1024
"""Bytes of an image within another file."""
MOST_PIXELS = 100_000_000
"""A file that claims more is not opened."""


@cache
def installed() -> bool:
    """Whether textual-image is there."""
    return find_spec("textual_image") is not None


def images_of(query: Query, run_id: str) -> tuple[Artifact, ...]:
    """The images among the files a run made, those that are gone left out."""
    found = query.artifacts(run_id)
    return tuple(
        each
        for each in found
        if each.place and (each.length is not None or Path(each.place).suffix.lower() in SUFFIXES)
    )


def picture(image: Artifact) -> Any:
    """A file, or its part that is an image, as a picture no larger than is of use.

    Raises:
        OSError, ValueError: it cannot be read, or is no image.
    """
    source: str | io.BytesIO = image.place
    if image.length is not None:
        if not 0 < image.length <= LONGEST:
            raise ValueError(f"an image of {image.length:,} bytes")
        with open(image.place, "rb") as file:
            file.seek(image.offset)
            source = io.BytesIO(file.read(image.length))
    with import_module("PIL.Image").open(source) as opened:
        if opened.width * opened.height > MOST_PIXELS:
            raise ValueError(f"{opened.width:,} x {opened.height:,} pixels are too many")
        opened.thumbnail(LARGEST)
        return opened.convert("RGBA")


def widget_class() -> Any:
    """The widget that suits the terminal: Sixel or Kitty's protocol where it said that it draws them, else cells.

    Without an answer the terminal's own variables decide; without colours cells are drawn in shades of characters.
    """
    widget, graphics = _library(), ANSWERS.graphics
    if graphics == "sixel":
        return widget.SixelImage
    if graphics == "kitty" or (not ANSWERS.wait() and ANSWERS.exact_colors and speaks_kitty(os.environ)):
        return widget.TGPImage
    return widget.UnicodeImage if "NO_COLOR" in os.environ else widget.HalfcellImage


@cache
def _library() -> Any:
    """The library, which asks the terminal nothing itself: its questions would come between ours and the keys."""
    kept = sys.__stdout__
    sys.__stdout__ = io.StringIO()  # type: ignore[misc, assignment]
    sizes = dict(zip(("TEXTUAL_CELL_WIDTH", "TEXTUAL_CELL_HEIGHT"), map(str, ANSWERS.cell or ()), strict=False))
    before = {name: os.environ.get(name) for name in sizes}
    os.environ.update(sizes)
    try:
        widget = import_module("textual_image.widget")
    finally:
        sys.__stdout__ = kept  # type: ignore[misc]
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    # It sends Kitty's images to standard output, which leads elsewhere while the interface is up.
    vars(import_module("textual_image.renderable.tgp"))["sys"] = SimpleNamespace(__stdout__=_Screen())
    return widget


class _Screen:
    """The way to the terminal that the interface's own output takes."""

    def write(self, sequence: str) -> None:
        if ANSWERS.write is not None:
            ANSWERS.write(sequence)

    def flush(self) -> None:
        """It is flushed with every frame."""


@dataclass
class ImagesLoaded(Message):
    """Images have been read, or could not be."""

    title: str
    pictures: Sequence[tuple[str, Any]] = ()
    widget: Any = None
    """What shows a picture on this terminal."""
    error: str = ""


def load_images(title: str, images: Sequence[tuple[str, Artifact]]) -> Message:
    """Read images, each with the name of its run; runs off the event loop."""
    try:
        ANSWERS.wait()
        return ImagesLoaded(title, [(name, picture(image)) for name, image in images], widget_class())
    except Exception as error:  # noqa: BLE001 - a library or a file of others may raise anything; it is said
        return ImagesLoaded(title, error=f"{title} cannot be shown: {error}")


def speaks_kitty(environment: Mapping[str, str]) -> bool:
    """Whether the terminal draws Kitty's graphics by placeholders, with no multiplexer in between."""
    named = environment.get("TERM") == "xterm-kitty" or environment.get("TERM_PROGRAM") == "ghostty"
    return named and not in_multiplexer(environment)


class ImageScreen(Dialog[None]):
    """One image of each run side by side."""

    BINDINGS = bindings("reader")
    DEFAULT_CSS = """
    ImageScreen { align: center middle; background: $background; }
    ImageScreen Vertical { width: 1fr; height: 1fr; }
    ImageScreen Horizontal { height: 1fr; }
    """

    def __init__(self, title: str, pictures: Sequence[tuple[str, Any]], widget: Any) -> None:
        super().__init__()
        self._title = title
        self._pictures = pictures
        self._widget = widget
        self._shown: list[Any] = []

    def compose(self) -> ComposeResult:
        """Title, images under their runs' names, keys."""
        title = Bar(lambda: self.look, id="image-title")
        title.show([Piece(f" {text.plain(self._title, limit=200)}", "accent")])
        yield title
        with Horizontal():
            for place, (name, found) in enumerate(self._pictures):
                with Vertical():
                    bar = Bar(lambda: self.look, id=f"image-{place}")
                    bar.show([Piece(f" {text.plain(name, limit=200)}", "dim")])
                    yield bar
                    with Vertical():
                        shown = self._widget(found)
                        shown.styles.width, shown.styles.height = "auto", "auto"  # only so its shape is kept
                        self._shown.append(shown)
                        yield shown
        yield self.keys_bar("reader", "image-keys")

    def action_close(self) -> None:
        """Back to the charts; a terminal that keeps images may forget these."""
        for each in self._shown:
            if each._renderable is not None:
                each._renderable.cleanup()
        self.dismiss(None)

    def action_scroll(self, rows: int) -> None:
        """An image is as large as the screen: there is nothing to scroll."""

    def action_page(self, pages: int) -> None:
        """An image is as large as the screen: there is nothing to turn."""
