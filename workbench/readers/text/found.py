"""What a line of a text log says: numbers with their roles and where they stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

Role = Literal["metric", "step", "epoch", "position", "total", "steps", "epochs", "moment", "bar", "bars"]
"""What a number is: a metric's value, a step, an epoch, a position within an epoch and how many that has, the number
of steps or epochs planned, seconds since 1970 in some unit, a bare progress bar's position and end.
"""

Span = tuple[int, int]


class Found(Struct, frozen=True):
    """A number in a line: its role, its span, and for a metric its key and what its value is multiplied by."""

    role: Role
    span: Span
    key: str = ""
    scale: float = 1.0
    over: Span | None = None
    """Where the number stands that it is divided by."""
    inverse: bool = False


class Reading(Struct, frozen=True):
    """What one line says."""

    dialect: str
    found: tuple[Found, ...]
    names: tuple[Span, ...] = ()
    """Where keys stand: their digits are part of a name, not numbers."""
    is_setting: bool = False
    """It tells of settings where no step was seen yet."""


class Gathering(Struct):
    """What is being found in a line; a key that comes twice keeps its last value."""

    dialect: str
    found: dict[str, Found] = field(default_factory=dict)
    names: list[Span] = field(default_factory=list)

    def metric(
        self, key: str, span: Span, name: Span | None = None, scale: float = 1.0, *, over: Span | None = None,
        inverse: bool = False,
    ) -> None:  # fmt: skip
        """Add a metric's value."""
        self.found.pop(key, None)
        self.found[key] = Found("metric", span, key, scale, over, inverse)
        if name is not None:
            self.names.append(name)

    @property
    def keys(self) -> list[str]:
        """The metrics' keys."""
        return [item.key for item in self.found.values() if item.role == "metric"]

    def rename(self, new: Callable[[str], str | None]) -> None:
        """Give every metric another key; those that get None are left out."""
        for name, item in list(self.found.items()):
            if item.role == "metric":
                del self.found[name]
                if (key := new(item.key)) is not None:
                    self.found[key] = replace(item, key=key)

    def axis(self, role: Role, span: Span) -> None:
        """Add what says where the line stands; the first of a role holds."""
        self.found.setdefault(f"\0{role}", Found(role, span))

    def has(self, *roles: Role) -> bool:
        """Whether any of these roles was found."""
        return any(f"\0{role}" in self.found for role in roles)

    def reading(self, *, is_setting: bool = False) -> Reading | None:
        """The reading, None when nothing was found."""
        if not self.found:
            return self.nothing()
        return Reading(self.dialect, tuple(self.found.values()), tuple(self.names), is_setting)

    def nothing(self) -> Reading | None:
        """What is to be known of a line that says nothing: names whose digits decided that, None where none did."""
        return Reading(self.dialect, (), tuple(self.names)) if self.names else None


def text_of(key: str) -> str:
    """A key as text: lines are decoded as Latin-1, whatever they are."""
    return key.encode("latin-1").decode("utf-8", "replace")
