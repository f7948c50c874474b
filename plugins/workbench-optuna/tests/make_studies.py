"""Writes the studies of the tests with Optuna itself: `python make_studies.py FOLDER`, in an environment that has it.

`svm`: one objective, with pruned and failed trials and parameters that only some trials have; `pair`: two objectives.
"""

from __future__ import annotations

import math
import sys
import warnings
from pathlib import Path

import optuna
from optuna.storages import JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend


def error(trial: optuna.Trial) -> float:
    """Depends strongly on `lr`, somewhat on `depth` and the kernel, and not at all on `seed`."""
    lr = trial.suggest_float("lr", 1e-5, 1, log=True)
    depth = trial.suggest_int("depth", 1, 12)
    kernel = trial.suggest_categorical("kernel", ["rbf", "linear", "poly"])
    seed = trial.suggest_int("seed", 0, 1000)
    gamma = trial.suggest_float("gamma", 0.01, 10, log=True) if kernel == "rbf" else 1.0
    value = 0.1 + (math.log10(lr) + 2.5) ** 2 * 0.1 + 0.004 * (depth - 7) ** 2
    value += {"rbf": 0.0, "linear": 0.08, "poly": 0.2}[kernel]
    value += 0.02 * abs(math.log10(gamma)) + 0.002 * math.sin(seed)
    for step in range(10):
        trial.report(value + 0.5 / (step + 1), step)
        if trial.should_prune():
            raise optuna.TrialPruned
    if trial.number % 23 == 11:
        raise RuntimeError("out of memory")
    return value


def cost(trial: optuna.Trial) -> tuple[float, float]:
    """Accuracy against latency: wider is better and slower."""
    width = trial.suggest_int("width", 8, 512, log=True)
    dropout = trial.suggest_float("dropout", 0, 0.6)
    return 0.95 - 0.3 / math.sqrt(width) - (dropout - 0.2) ** 2, 2 + width / 40


def main() -> None:
    """Both storages."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    database = RDBStorage(f"sqlite:///{folder / 'svm.db'}")
    study = optuna.create_study(
        storage=database, study_name="svm", direction="minimize", sampler=optuna.samplers.TPESampler(seed=3),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=15, n_warmup_steps=3),
    )  # fmt: skip
    study.set_metric_names(["error"])
    study.optimize(error, n_trials=80, catch=(RuntimeError,))
    database.engine.dispose()
    journal = JournalStorage(JournalFileBackend(str(folder / "pair.log")))
    pair = optuna.create_study(
        storage=journal, study_name="pair", directions=["maximize", "minimize"],
        sampler=optuna.samplers.RandomSampler(seed=4),
    )  # fmt: skip
    pair.set_metric_names(["accuracy", "latency_ms"])
    pair.optimize(cost, n_trials=40)


if __name__ == "__main__":
    main()
