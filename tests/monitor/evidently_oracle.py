"""Evidently's own verdicts as JSON: `python evidently_oracle.py REFERENCE CURRENT [REFERENCE CURRENT …]`.

Run as a process of its own, so that neither pandas nor Evidently is ever loaded beside pytest.
"""

import json
import os
import sys
import warnings

os.environ.setdefault("DO_NOT_TRACK", "1")
warnings.simplefilter("ignore")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from evidently import Dataset, Report  # noqa: E402
from evidently.legacy.calculations.stattests.registry import _registered_stat_tests  # noqa: E402
from evidently.legacy.core import ColumnType  # noqa: E402
from evidently.metrics.column_statistics import ValueDriftCalculation  # noqa: E402
from evidently.presets import DataDriftPreset  # noqa: E402


class Verdicts(DataDriftPreset):
    """The preset with its default methods, thresholds and tests, less the drawing of figures: most of its time."""

    def render(self, context, child_widgets=None):
        return []


ValueDriftCalculation._render = lambda *_: []


def read(path):
    if ".parquet" in path:
        return pd.read_parquet(path)
    return pd.read_json(path, lines=True) if ".jsonl" in path else pd.read_csv(path)


def verdicts(reference, current):
    snapshot = Report([Verdicts()], include_tests=True).run(read(current), read(reference)).dict()
    columns = {
        metric["config"]["column"]: {
            "method": metric["config"]["method"],
            "threshold": metric["config"]["threshold"],
            "score": float(metric["value"]),
        }
        for metric in snapshot["metrics"]
        if metric["config"]["type"].endswith("ValueDrift")
    }
    for test in snapshot["tests"]:
        config = test["metric_config"]["params"]
        if config["type"].endswith("ValueDrift"):
            columns[config["column"]]["drifted"] = test["status"] == "FAIL"
    counted = next(m["value"] for m in snapshot["metrics"] if m["config"]["type"].endswith("DriftedColumnsCount"))
    return {"columns": columns, "drifted": counted["count"], "share": counted["share"]}


def all_methods(reference, current):
    """By column the type that Evidently sees, and every method's score and verdict, or its error."""
    left, right = read(reference), read(current)
    found = {}
    for name, values in right.items():
        kind = Dataset.from_pandas(right[[name]]).column(name).type
        if name not in left or kind not in {ColumnType.Numerical, ColumnType.Categorical}:
            continue
        sides = [side.replace([-np.inf, np.inf], np.nan).dropna() for side in (left[name], values)]
        found[name] = {"type": kind.value, "scores": {}}
        for key, tests in _registered_stat_tests.items():
            if key in {"TVD", "empirical_mmd"} or kind not in tests or not all(map(len, sides)):
                continue
            try:
                result = tests[kind](sides[0].copy(), sides[1].copy(), kind, None)
                found[name]["scores"][key] = [float(result.drift_score), bool(result.drifted)]
            except Exception as error:
                found[name]["scores"][key] = f"{type(error).__name__}: {error}"
    return found


if __name__ == "__main__":
    paths = sys.argv[1:]
    if paths[0] == "--all-methods":
        json.dump([all_methods(*pair) for pair in zip(paths[1::2], paths[2::2], strict=True)], sys.stdout)
        sys.exit()
    pairs = list(zip(paths[::2], paths[1::2], strict=True))
    json.dump([verdicts(reference, current) for reference, current in pairs], sys.stdout)
