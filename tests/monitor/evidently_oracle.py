"""Evidently's own verdicts as JSON: `python evidently_oracle.py REFERENCE CURRENT [REFERENCE CURRENT …]`.

Run as a process of its own, so that neither pandas nor Evidently is ever loaded beside pytest.
"""

import json
import os
import sys
import warnings

os.environ.setdefault("DO_NOT_TRACK", "1")
warnings.simplefilter("ignore")

import pandas as pd  # noqa: E402
from evidently import Report  # noqa: E402
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


if __name__ == "__main__":
    paths = sys.argv[1:]
    pairs = list(zip(paths[::2], paths[1::2], strict=True))
    json.dump([verdicts(reference, current) for reference, current in pairs], sys.stdout)
