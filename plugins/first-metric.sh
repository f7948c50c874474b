#!/bin/sh
# From an empty folder to a metric of your own: in the interface, in gates, and in an HTML report.
# PIP_OPTIONS are for environments without a network: "--no-deps --no-build-isolation --target site".
set -eu

# A log, as any training writes it.
mkdir -p tree
for step in 1 2 3 4 5; do
    echo "{\"step\": $step, \"train/loss\": 0.$((9 - step)), \"val/loss\": 0.$((10 - step))}"
done > tree/metrics.jsonl

# A package with a panel and a metric, whose tests pass at once.
workbench plugins new lab --panel --metric

# The change: the ratio of the two losses instead of their difference, plotted by default.
sed -i.before \
    -e 's|"lab/gap"|"lab/ratio"|' \
    -e 's|How much worse the model does|How many times worse the model does|' \
    -e 's|return val - train|return val / train|' workbench-lab/workbench_lab/metrics.py
sed -i.before 's|metric: str = "loss"|metric: str = "lab/ratio"|' workbench-lab/workbench_lab/panel.py

python -m pip install --quiet ${PIP_OPTIONS:-} ./workbench-lab
workbench plugins list
workbench report --format html --out report.html --gate 'last(lab/ratio) <= 2'
grep -c 'lab/ratio' report.html
