"""A thousand windows of twenty columns against one reference, as a monitor judges them; a count on stdout."""

import json
import sys

from workbench.monitor.drift import dataset_drift
from workbench.monitor.reference import load_reference
from workbench.monitor.session import filled, open_session, quoted
from workbench.monitor.tables import open_table

ROWS = 1000

with open_session() as session:
    reference, current = (open_table(session, path) for path in sys.argv[1:])
    judged = []
    for column in current.columns:
        known = load_reference(session, reference, column)
        select = f"SELECT {quoted(column.sql)}::DOUBLE AS x FROM {current.source}"
        values = filled(session.arrays(select, current.parameters)[0])
        judged.append([
            known.judge_numbers(values[start : start + ROWS])[0] for start in range(0, len(values), ROWS)
        ])  # fmt: skip
    drifts = [dataset_drift(columns) for columns in zip(*judged, strict=True)]
print(json.dumps({"windows": len(drifts), "columns": len(judged), "drifted": sum(drift.drifted for drift in drifts)}))
