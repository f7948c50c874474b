"""A reference column kept once, sorted or counted, against which a window is judged in milliseconds; can be stored."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from workbench.core.model import ColumnDrift
from workbench.monitor.calibrated import DEFAULT, Setting, judge_comparison, judge_tally, text_verdict
from workbench.monitor.comparison import Baseline, HeldComparison
from workbench.monitor.methods import Numbers, Tally
from workbench.monitor.noise import Drawn
from workbench.monitor.remarks import missing_findings
from workbench.monitor.samples import sorted_numbers
from workbench.monitor.tables import DriftInputError, Kind
from workbench.monitor.timeblocks import INDEPENDENT, BlockNoise, blocks_of_categories, blocks_of_numbers
from workbench.monitor.verdicts import TEXT_SHARE, untested

_VERSION = 1


class ReferenceProfile(Struct, frozen=True, eq=False, dict=True):
    """What is kept of one column of the reference: enough for every later comparison, exactly.

    Build one with `build` or `count`; `numbers` or `counts` is None.
    """

    name: str
    kind: Kind
    rows: int
    numbers: Numbers | None = None
    counts: Mapping[str, int] | None = None
    categorical: bool = False
    noise: tuple[BlockNoise, BlockNoise] = (INDEPENDENT, INDEPENDENT)
    codes: BlockNoise = INDEPENDENT

    @classmethod
    def build(
        cls, name: str, values: NDArray[Any] | Sequence[Any], *, kind: Kind | None = None, categorical: bool = False,
        in_time_order: bool = False, numbers: Numbers | None = None,
    ) -> ReferenceProfile:  # fmt: skip
        """Profile a column of values, None or NaN where missing.

        kind: by default that of the values. categorical: treat numbers as categories, whatever their count.
        in_time_order: the values follow each other in time; their blocks then tell the noise of windows.
        numbers: the same values sorted, where they are already.
        """
        array = np.asarray(values)
        kind = kind or _kind_of(array)
        if kind == "string":
            known = np.asarray([str(value) for value in _known(array)])
            return cls.count(name, known, len(array), in_time_order=in_time_order)
        ordered = _as_float(array)
        numbers = numbers or sorted_numbers(ordered, single=array.dtype == np.float32, integers=kind == "int")
        noise, codes = (INDEPENDENT, INDEPENDENT), INDEPENDENT
        finite = ordered[np.isfinite(ordered)]
        if in_time_order and len(finite):
            noise = blocks_of_numbers(finite, numbers)
            if categorical or len(numbers.distinct(11)) <= 10:
                kinds, places = np.unique(finite, return_inverse=True)
                codes = blocks_of_categories(places, len(kinds))
        return cls(name, kind, len(array), numbers, None, categorical, noise, codes)

    @classmethod
    def count(cls, name: str, values: NDArray[np.str_], rows: int, *, in_time_order: bool = False) -> ReferenceProfile:
        """Profile a column of strings by count; `rows` counts the missing ones too."""
        kinds, places, counts = np.unique(values, return_inverse=True, return_counts=True)
        codes = blocks_of_categories(places, len(kinds)) if in_time_order and len(values) else INDEPENDENT
        return cls(name, "string", rows, None, dict(zip(kinds.tolist(), counts.tolist(), strict=True)), codes=codes)

    @cached_property
    def baseline(self) -> Baseline:
        """The numbers, and what every comparison with them needs."""
        assert self.numbers is not None
        return Baseline(self.numbers, self.noise)

    @cached_property
    def _drawn(self) -> Drawn:
        return {}

    @property
    def missing(self) -> int:
        """Rows without a value."""
        if self.numbers is not None:
            return self.numbers.missing
        return self.rows - sum((self.counts or {}).values())

    def compare(self, values: NDArray[Any] | Sequence[Any], setting: Setting = DEFAULT) -> ColumnDrift:
        """The calibrated verdict on a window's values, None or NaN where missing; O(m log n) for numbers.

        Its p-value is of this column alone: `dataset_drift` settles those of a window together.
        """
        array = np.asarray(values)
        if self.numbers is not None:
            try:
                return self.compare_numbers(_as_float(array), setting)
            except ValueError:
                reason = f"type changed: {self.kind} → text"
                return untested(self.name, "other", "schema-changed", reason, len(self.numbers), len(array))
        known = [str(value) for value in _known(array)]
        kinds, counts = np.unique(np.asarray(known, str), return_counts=True)
        return self.compare_counts(dict(zip(kinds.tolist(), counts.tolist(), strict=True)), len(array), setting)

    def compare_numbers(self, values: NDArray[np.float64], setting: Setting = DEFAULT) -> ColumnDrift:
        """The same of numbers or booleans as float64, NaN where missing."""
        pair = HeldComparison(self.baseline, sorted_numbers(values, integers=self.kind == "int"))
        return judge_comparison(self.name, pair, self.kind, setting, categorical=self.categorical, codes=self.codes)

    def compare_counts(self, counts: Mapping[str, int], rows: int, setting: Setting = DEFAULT) -> ColumnDrift:
        """The same of strings by count; `rows` counts the missing ones too."""
        assert self.counts is not None
        n, m = sum(self.counts.values()), sum(counts.values())
        notes = missing_findings(self.name, self.missing, self.rows, rows - m, rows)
        if not self.categorical and n > 1 and len(self.counts) > TEXT_SHARE * n and m:
            return structs.replace(text_verdict(self.name, len(self.counts), n, m), findings=tuple(notes))
        keys = [*self.counts, *(key for key in counts if key not in self.counts)]
        left = np.fromiter((self.counts.get(key, 0) for key in keys), np.int64, len(keys))
        right = np.fromiter((counts.get(key, 0) for key in keys), np.int64, len(keys))
        return judge_tally(
            self.name, Tally(left, right, keys), "cat", setting, notes, codes=self.codes, drawn=self._drawn
        )

    def save(self, path: Path) -> None:
        """Write the profile to a file; numbers bit for bit."""
        about = {
            "version": _VERSION, "name": self.name, "kind": self.kind, "rows": self.rows,
            "categorical": self.categorical, "codes": structs.asdict(self.codes),
            "noise": [structs.asdict(part) for part in self.noise],
        }  # fmt: skip
        arrays: dict[str, NDArray[Any]] = {}
        if self.numbers is not None:
            arrays["values"] = self.numbers.values
            about["numbers"] = [
                self.numbers.missing, self.numbers.infinite, self.numbers.single, self.numbers.integers,
                self.numbers.rising,
            ]  # fmt: skip
        if self.counts is not None:
            arrays["keys"] = np.frombuffer(json.dumps(list(self.counts)).encode(), np.uint8)
            arrays["counts"] = np.fromiter(self.counts.values(), np.int64, len(self.counts))
        part = path.with_name(f"{path.name}.part")
        with part.open("wb") as file:
            np.savez(file, about=np.frombuffer(json.dumps(about).encode(), np.uint8), **arrays)  # type: ignore[arg-type]
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> ReferenceProfile:
        """Read a profile that `save` wrote.

        Raises:
            DriftInputError: not one, or of a later version.
        """
        try:
            with np.load(path, allow_pickle=False) as kept:
                about = json.loads(kept["about"].tobytes())
                if about["version"] != _VERSION:
                    raise DriftInputError(f"{path}: a profile of version {about['version']}, {_VERSION} is known")
                numbers = Numbers(kept["values"], *about["numbers"]) if "values" in kept else None
                counts = None
                if "keys" in kept:
                    counts = dict(zip(json.loads(kept["keys"].tobytes()), kept["counts"].tolist(), strict=True))
        except (OSError, ValueError, KeyError) as error:
            if isinstance(error, DriftInputError):
                raise
            raise DriftInputError(f"{path}: not a reference profile ({error}); build it again") from error
        one, two = (BlockNoise(**part) for part in about["noise"])
        codes = BlockNoise(**about["codes"])
        return cls(
            about["name"], about["kind"], about["rows"], numbers, counts, about["categorical"], (one, two), codes
        )


def _kind_of(array: NDArray[Any]) -> Kind:
    kinds: Mapping[str, Kind] = {"b": "bool", "i": "int", "u": "int", "f": "float"}
    if array.dtype.kind != "O":
        return kinds.get(array.dtype.kind, "string")
    known = _known(array)
    if all(isinstance(value, (bool, np.bool_)) for value in known):
        return "bool"
    if all(isinstance(value, (int, np.integer)) for value in known):
        return "int"
    return "float" if all(isinstance(value, (int, float, np.number)) for value in known) else "string"


def _known(array: NDArray[Any]) -> list[Any]:
    """Values but None and NaN."""
    return [value for value in array.tolist() if value is not None and not (isinstance(value, float) and isnan(value))]


def _as_float(array: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(array, np.float64)  # None becomes NaN; text that is no number is a ValueError
