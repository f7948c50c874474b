"""Importance of parameters: what is known to matter is found, what does not is not, and too little is refused."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from workbench.analysis.importance import SURE, ImportanceError, importance_of
from workbench.analysis.importance_worker import forest_losses, holm, work
from workbench.core.compare_columns import RunColumn
from workbench.core.compare_ranks import ranks

RANDOM = np.random.default_rng(11)


def numbers(key: str, values: object) -> RunColumn:
    return RunColumn(f"param:{key}", tuple(float(each) for each in np.asarray(values).tolist()))


def names(key: str, values: list[str]) -> RunColumn:
    return RunColumn(f"param:{key}", tuple(values), tuple(sorted(set(values))))


def metric(values: object, direction: str = "higher") -> RunColumn:
    each = tuple(float(value) for value in np.asarray(values).tolist())
    return RunColumn("metric:val/accuracy", each, direction=direction)  # type: ignore[arg-type]


LR = 10 ** RANDOM.uniform(-4, -1, 40)
DEPTH = RANDOM.integers(2, 9, 40)
OPTIMIZER = RANDOM.choice(["adam", "lion", "sgd"], 40).tolist()
IDLE = RANDOM.uniform(0, 1, 40)
ACCURACY = -0.1 * (np.log10(LR) + 4) + np.where(np.array(OPTIMIZER) == "adam", 0.15, 0) + RANDOM.normal(0, 0.01, 40)


@pytest.fixture(scope="module")
def found():
    columns = [numbers("lr", LR), numbers("depth", DEPTH), names("optimizer", OPTIMIZER), numbers("idle", IDLE)]
    return {each.key.removeprefix("param:"): each for each in importance_of(columns, metric(ACCURACY)).params}


def test_what_matters_comes_first_and_is_told_from_chance(found) -> None:
    assert list(found)[:2] == ["lr", "optimizer"]
    for key in ("lr", "optimizer"):
        assert found[key].loss > 2 * found[key].error and found[key].p < SURE
    for key in ("depth", "idle"):
        assert found[key].loss < 0.05 and found[key].p > SURE


def test_the_rank_correlation_says_which_way_and_how_surely(found) -> None:
    lr = found["lr"]
    assert lr.rank < -0.5 and lr.rank_low < lr.rank < lr.rank_high < 0
    assert found["optimizer"].best == "adam"
    assert found["optimizer"].rank > 0 and found["optimizer"].rank_low is None, "names have no direction"


def test_a_middle_value_that_is_best_is_named_though_no_rank_correlation_sees_it() -> None:
    random = np.random.default_rng(2)
    width = random.uniform(0, 10, 48)
    hump = -((width - 5) ** 2) + random.normal(0, 0.5, 48)
    (found,) = importance_of([numbers("width", width)], metric(hump)).params
    assert found.loss > 2 * found.error and found.p > SURE
    assert 4 < found.around < 6


def test_lower_is_better_turns_the_best_name_not_the_correlation() -> None:
    worst = importance_of([names("optimizer", OPTIMIZER), numbers("lr", LR)], metric(ACCURACY, "lower")).params
    assert next(each for each in worst if each.best).best != "adam"
    assert next(each for each in worst if not each.best).rank < -0.5


def test_the_same_values_are_weighed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    columns, target = [numbers("lr", LR[:12])], metric(ACCURACY[:12])
    first = importance_of(columns, target)
    monkeypatch.setattr(sys, "executable", "/nowhere")
    assert importance_of(columns, target) is first


def test_scikit_learn_stays_out_of_this_process(found) -> None:
    assert found
    code = (
        "import sys; from workbench.panels.importance import ImportancePanel;"
        "print(*sorted({name.partition('.')[0] for name in sys.modules} & {'sklearn', 'scipy', 'pandas', 'polars'}))"
    )
    import subprocess

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == []


@pytest.mark.parametrize(
    ("columns", "values", "says"),
    [
        ([numbers("lr", LR[:5])], ACCURACY[:5], "5 ended runs have 'val/accuracy'; importance needs 8 or more"),
        ([numbers("lr", LR[:9])], np.ones(9), "nothing to explain"),
        ([numbers("lr", np.ones(9))], ACCURACY[:9], "no parameter differs"),
    ],
    ids=["few", "flat", "same"],
)
def test_what_cannot_be_told_is_refused_with_its_reason(columns, values, says: str) -> None:
    with pytest.raises(ImportanceError, match=says):
        importance_of(columns, metric(values))


def test_a_worker_that_breaks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.analysis.importance._SECONDS", 0.0)
    with pytest.raises(ImportanceError, match="not grown within 0 s"):
        importance_of([numbers("lr", LR[:13])], metric(ACCURACY[:13]))


def test_parameters_changed_together_cannot_be_told_apart() -> None:
    asked = {
        "target": ACCURACY.tolist(), "higher": True,
        "columns": [{"key": key, "places": values, "names": []} for key, values in
                    (("lr", LR.tolist()), ("warmup", (LR * 3).tolist()), ("idle", IDLE.tolist()))],
    }  # fmt: skip
    assert work(asked)["together"] == [("lr", "warmup")]


def test_noise_alone_is_important_no_more_often_than_it_says() -> None:
    random = np.random.default_rng(3)
    false = 0
    for _ in range(6):
        losses, errors, explained = forest_losses(random.normal(size=(20, 3)), ranks(random.normal(size=20)))
        false += explained > 0.1 and any(loss > 2 * error for loss, error in zip(losses, errors, strict=True))
    assert false <= 1


def test_p_values_are_adjusted_for_their_number() -> None:
    assert holm([0.01, 0.04, None, 0.03]) == [pytest.approx(0.03), pytest.approx(0.06), None, pytest.approx(0.06)]
    assert holm([0.9, 0.8]) == [1.0, 1.0]
