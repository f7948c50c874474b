"""A reference column, sorted or counted once, against which any number of windows is judged in milliseconds."""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.core.model import ColumnDrift, Distribution
from workbench.core.units import short_number  # noqa: F401
from workbench.monitor.drift import read_numbers, sorted_numbers
