"""Why a text is no JSON, in the words and codes of every reader of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from workbench.readers.lines import decode

MAX_DEPTH = 64


class Refused(Exception):
    """A line or an object that is not taken; the message is the reason, with its code."""


def text_of(raw: bytes) -> str:
    """The text of a line, its ends trimmed.

    Raises:
        Refused: there are NUL bytes in it.
    """
    if b"\0" in raw:
        raise Refused("E122 NUL bytes within the line")
    return decode(raw)[0].strip()


@contextmanager
def parsing(text: str) -> Iterator[None]:
    """Parse within: what `json` makes of a text that is none of its is refused with the reason.

    Raises:
        Refused: not JSON, cut off, or nested too deep.
    """
    try:
        yield
    except RecursionError:
        raise Refused(f"E106 nested deeper than {MAX_DEPTH} levels") from None
    except json.JSONDecodeError as error:
        if error.pos >= len(text) or error.msg.startswith("Unterminated"):
            raise Refused("E102 cut off within the object") from None
        raise Refused(f"E104 not JSON: {error.msg} at column {error.colno}") from None
    except ValueError as error:
        raise Refused(f"E104 not JSON: {error}") from None
