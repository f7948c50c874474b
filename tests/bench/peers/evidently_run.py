"""Evidently's drift preset on two Parquet files, as its documentation runs it; scores by column on stdout."""

import json
import sys
import warnings

warnings.simplefilter("ignore")

import pandas as pd  # noqa: E402
from evidently import Report  # noqa: E402
from evidently.presets import DataDriftPreset  # noqa: E402

reference, current = (pd.read_parquet(path) for path in sys.argv[1:])
snapshot = Report([DataDriftPreset()]).run(current, reference).dict()
print(json.dumps({
    metric["config"]["column"]: float(metric["value"])
    for metric in snapshot["metrics"] if metric["config"]["type"].endswith("ValueDrift")
}))  # fmt: skip
