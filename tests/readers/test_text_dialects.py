"""What each trainer prints, and the points that come of it."""

import json
import math
from pathlib import Path, PurePath

import pytest

from workbench.plugin.api import Batch, Chunk
from workbench.readers.text.dialects import read_line
from workbench.readers.text.pairs import may_say
from workbench.readers.text.reader import TextLogReader

READER = TextLogReader()
FIXTURES = Path(__file__).parent.parent / "fixtures" / "text"


def read(data, start=0, state=None, final=True, name="train.log"):
    data = data if isinstance(data, bytes) else data.encode()
    return READER.read(Chunk(PurePath(name), data, start, state or {}, final=final))


def values(batch: Batch):
    p = batch.points
    return [
        (p.keys[k], int(s), "nan" if math.isnan(v) else float(v))
        for k, s, v in zip(p.key, p.step, p.value, strict=True)
    ]


LINES = {
    "nanogpt evaluation": (
        "step 250: train loss 2.1034, val loss 2.1201",
        [("train/loss", 250, 2.1034), ("val/loss", 250, 2.1201)],
    ),
    "nanogpt, its time a latency": (
        "iter 250: loss 2.0771, time 135.20ms, mfu 24.10%",
        [("loss", 250, 2.0771), ("time_ms", 250, 135.2), ("mfu", 250, 24.1)],
    ),
    "llm.c training": (
        "s:12 trl:3.21 lr:0.0006 norm:1.2",
        [("train/loss", 12, 3.21), ("lr", 12, 0.0006), ("grad_norm", 12, 1.2)],
    ),
    "llm.c test loss": ("s:250 tel:3.30", [("val/loss", 250, 3.3)]),
    "llm.c evaluation": ("s:250 eval:0.29", [("eval/acc", 250, 0.29)]),
    "torchtune": ("Step 12 | loss:1.23 lr:2e-05", [("loss", 12, 1.23), ("lr", 12, 2e-05)]),
    "xgboost": (
        "[12]\ttrain-rmse:0.51\tvalidation_0-ndcg@3-:0.60",
        [("train/rmse", 12, 0.51), ("validation_0/ndcg@3-", 12, 0.6)],
    ),
    "lightgbm": (
        "[12]\tvalid_0's l2: 0.24\tvalid_0's auc: 0.9",
        [("valid_0/l2", 12, 0.24), ("valid_0/auc", 12, 0.9)],
    ),
    "lightgbm, prefixed": ("[LightGBM] [Info] [12]\tvalid_0's l2: 0.24", [("valid_0/l2", 12, 0.24)]),
    "lightgbm's command line": ("[LightGBM] [Info] Iteration:12, training auc : 0.9", [("training/auc", 12, 0.9)]),
    "catboost": (
        "12:\tlearn: 0.51\ttest: 0.6\tbest: 0.6 (11)\ttotal: 12ms\tremaining: 1s",
        [("learn", 12, 0.51), ("test", 12, 0.6)],
    ),
    "megatron": (
        " iteration      100/     500 | consumed samples: 6400 | elapsed time per iteration (ms): 812.3 |"
        " learning rate: 1.5E-04 | lm loss: 6.4E+00 | number of nan iterations:   0 |",
        [
            ("consumed_samples", 100, 6400.0), ("elapsed_time_per_iteration_ms", 100, 812.3),
            ("learning_rate", 100, 0.00015), ("lm_loss", 100, 6.4), ("number_of_nan_iterations", 100, 0.0),
        ],
    ),
    "megatron validation": (
        " validation loss at iteration 100 | lm loss value: 6.1E+00 | lm loss PPL: 4.5E+02 |",
        [("validation/lm_loss", 100, 6.1), ("validation/lm_loss_PPL", 100, 450.0)],
    ),
    "fairseq bar": (
        "2026-01-01 12:00:00 | INFO | epoch 001:     10 / 100 loss=2.3, num_updates=10, lr=0.001",
        [("loss", 10, 2.3), ("lr", 10, 0.001), ("epoch", 10, 1.0)],
    ),
    "fairseq record": (
        '2026-01-01 12:00:00 | INFO | train_inner | {"epoch": 1, "update": 0.1, "loss": "2.3", "num_updates": "10"}',
        [("train_inner/epoch", 10, 1.0), ("train_inner/loss", 10, 2.3)],
    ),
    "fairseq validation": (
        '2026-01-01 12:00:00 | INFO | valid | {"epoch": 1, "valid_loss": "2.1", "valid_num_updates": "100"}',
        [("valid/epoch", 100, 1.0), ("valid/loss", 100, 2.1)],
    ),
    "pytorch's mnist example": (
        "Train Epoch: 2 [640/60000 (1%)]\tLoss: 1.234",
        [("Loss", 60640, 1.234), ("epoch", 60640, 2.0)],
    ),
    "pytorch's imagenet example": (
        "Epoch: [2][  10/5005]\tTime  0.344 ( 0.593)\tLoss 6.9e+00 (6.95e+00)\tAcc@1   0.00 (  0.10)",
        [
            ("Time", 5015, 0.344), ("Time_avg", 5015, 0.593), ("Loss", 5015, 6.9), ("Loss_avg", 5015, 6.95),
            ("Acc@1", 5015, 0.0), ("Acc@1_avg", 5015, 0.1), ("epoch", 5015, 2.0),
        ],
    ),
    "lightning's bar": (
        "Epoch 3:  45%|████▌     | 45/100 [00:03<00:04, 12.3it/s, v_num=0, loss=0.5]",
        [("loss", 245, 0.5), ("it/s", 245, 12.3), ("epoch", 245, 3.0)],
    ),
    "a slow bar": (
        "Epoch 0: 100%|██| 4/4 [00:08<00:00, 2.00s/it, train_loss=1.2e-5]",
        [("train_loss", 4, 1.2e-5), ("it/s", 4, 0.5), ("epoch", 4, 0.0)],
    ),
    "detectron": (
        "[01/02 12:00:00 d2.utils.events]:  eta: 0:05:00  iter: 19  total_loss: 1.2  lr: 0.001  max_mem: 1234M",
        [("total_loss", 19, 1.2), ("lr", 19, 0.001), ("max_mem", 19, 1.234e9)],
    ),
    "mmengine": (
        "2026/01/01 12:00:00 - mmengine - INFO - Epoch(train)  [2][  50/1000]  lr: 1.0e-02  eta: 1:00:00  loss: 2.3",
        [("lr", 1050, 0.01), ("loss", 1050, 2.3), ("epoch", 1050, 2.0)],
    ),
    "timm": (
        "Train: 1 [  50/1251 (  4%)]  Loss: 6.94 (6.9)  Time: 1.2s  LR: 1e-6",
        [("Loss", 50, 6.94), ("Loss_avg", 50, 6.9), ("Time_s", 50, 1.2), ("LR", 50, 1e-6), ("epoch", 50, 1.0)],
    ),
    "pytorch's language model": (
        "| epoch   1 |   200/ 2983 batches | lr 20.00 | ms/batch 12.3 | loss  7.63 | ppl  2052.63",
        [("lr", 200, 20.0), ("ms/batch", 200, 12.3), ("loss", 200, 7.63), ("ppl", 200, 2052.63), ("epoch", 200, 1.0)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LINES)
def test_a_line_gives_its_points(name):
    line, points = LINES[name]
    assert values(read(line + "\n")) == points


@pytest.mark.parametrize("name", LINES)
def test_no_quick_look_passes_over_a_line_that_speaks(name):
    line = LINES[name][0].encode().decode("latin-1")
    assert may_say(line) and read_line(line)


GENERAL = {
    "Epoch 2 loss 0.5 acc 0.9": [("loss", 2, 0.5), ("acc", 2, 0.9)],
    "Epoch [2/10], Step [100/600], Loss: 0.5": [("Loss", 700, 0.5), ("epoch", 700, 2.0)],
    "step=10 loss=nan acc=-inf lr=3.4e-5": [("loss", 10, "nan"), ("acc", 10, -math.inf), ("lr", 10, 3.4e-5)],
    "step=10, acc=45%, time=12.3ms, tokens=1,234, mem=1.2k": [
        ("acc", 10, 45.0), ("time_ms", 10, 12.3), ("tokens", 10, 1234.0), ("mem", 10, 1200.0),
    ],
    "step 1,000 | loss 1,234.5": [("loss", 1000, 1234.5)],
    "global_step: 7 | train loss: .5 | val_loss : 5.": [("train/loss", 7, 0.5), ("val_loss", 7, 5.0)],
    "step:250/5100 val_loss:3.21 step_avg:12.3ms": [("val_loss", 250, 3.21), ("step_avg_ms", 250, 12.3)],
    "INFO:root:epoch 3 - train loss: 0.5 - val acc: 0.9": [("train/loss", 3, 0.5), ("val/acc", 3, 0.9)],
    "[INFO] trainer.py:12 pid=47 port: 80 version=1.2.3 date=2026-01-01 ip=10.0.0.1 step=3 loss=1": [("loss", 3, 1.0)],
    "Validation at step 100 loss: 0.5": [("loss", 100, 0.5)],
    "step 5 accuracy: 0.95 ± 0.02": [("accuracy", 5, 0.95), ("accuracy_std", 5, 0.02)],
    "step=1 layer_1/loss=0.5 layer_2/loss=0.7": [("layer_1/loss", 1, 0.5), ("layer_2/loss", 1, 0.7)],
    "step=9007199254740993 loss=0.12345678901234567 x_loss=1e-300": [
        ("loss", 9007199254740993, 0.12345678901234567), ("x_loss", 9007199254740993, 1e-300),
    ],
    'level=info msg="step done" step=10 loss=0.5': [("loss", 10, 0.5)],
    "{'step': 3, 'loss': 0.5, 'note': \"it's\"}": [("loss", 3, 0.5)],
    "epoch=1.5 loss=2": [("epoch", 0, 1.5), ("loss", 0, 2.0)],
}  # fmt: skip


@pytest.mark.parametrize("line", GENERAL)
def test_unknown_lines_are_read_by_the_general_rule(line):
    assert values(read(line + "\n")) == GENERAL[line]


@pytest.mark.parametrize(
    "line",
    [
        "numpy==1.26.0", "The server listens on port: 8080", "took 12 s", "see https://example.org:80/a=1",
        "127.0.0.1 - - [10/Oct/2026:13:55:36 -0700] 'GET /a?loss=1&step=2 HTTP/1.0' 200 2326", "64%", "1, 2, 3",
        "Downloading model: 100%|██████| 3/3 [00:01<00:00, 2.5it/s]", "foo.c:12:5: warning: unused", "== 5 passed ==",
    ],
)  # fmt: skip
def test_other_lines_say_nothing(line):
    assert values(read(line + "\n")) == []


# What several lines say together -------------------------------------------------------------------------------


def test_a_trainers_dicts_take_the_step_of_the_bar_beside_them_and_tensorboards_names():
    log = (
        "\r  2%|▏     | 10/500 [00:02<01:38, 5.0it/s]\r             \r{'loss': 2.1, 'epoch': 0.03}\n"
        "\r  4%|▏     | 20/500 [00:02<01:38, 5.0it/s]\r{'loss': '2.0', 'epoch': '0.06'}\n"
        "\r 50%|███   | 6/12 [00:00<00:00, 50it/s]\r{'eval_loss': 1.9, 'test_f1': 0.5, 'epoch': 0.06}\n"
    )
    batch = read(log)
    assert values(batch) == [
        ("train/loss", 10, 2.1), ("train/epoch", 10, 0.03), ("train/loss", 20, 2.0), ("train/epoch", 20, 0.06),
        ("eval/loss", 20, 1.9), ("test/f1", 20, 0.5), ("train/epoch", 20, 0.06),
    ]  # fmt: skip
    assert [fact.value for fact in batch.facts if fact.kind == "total_steps"] == [500]


def test_a_trainers_dicts_without_a_bar_are_counted():
    log = "".join(f"{{'loss': {i}, 'epoch': {i}}}\n{{'eval_loss': {i}, 'epoch': {i}}}\n" for i in range(2))
    assert [(key, step) for key, step, _ in values(read(log)) if "loss" in key] == [
        ("train/loss", 0), ("eval/loss", 0), ("train/loss", 1), ("eval/loss", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "bars",
    [
        "1/32 [..] - ETA: 9s - loss: 2.3\b\b\b\b\b\b\r32/32 [====] - 1s 4ms/step - loss: 1.5 - val_loss: 1.25\n",
        "32/32 - 1s - 4ms/step - loss: 1.5 - val_loss: 1.25\n",
        "\x1b[1m 1/32\x1b[0m \x1b[37m━━━━\x1b[0m \x1b[1m9s\x1b[0m 40ms/step - loss: 2\r"
        "\x1b[1m32/32\x1b[0m \x1b[32m━━━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m1s\x1b[0m 4ms/step - loss: 1.5"
        " - val_loss: 1.25\n",
    ],
)
def test_keras_bars_show_what_stood_last_and_belong_to_their_epoch(bars):
    batch = read("Epoch 1/3\n" + bars + "Epoch 2/3\n" + bars)
    assert values(batch) == [
        (key, epoch, value)
        for epoch in (1, 2)
        for key, value in (("time_per_step_ms", 4.0), ("loss", 1.5), ("val_loss", 1.25))
    ]
    assert [fact.value for fact in batch.facts if fact.kind == "total_steps"] == [3]


def test_an_evaluation_stands_at_the_last_step_before_it():
    log = (
        "Train Epoch: 1 [640/60000 (1%)]\tLoss: 1.5\n\n"
        "Test set: Average loss: 0.0512, Accuracy: 9830/10000 (98%)\n\nEpoch: 1 val_f1: 0.5\n"
    )
    assert values(read(log))[2:] == [("test/loss", 640, 0.0512), ("test/accuracy", 640, 0.983), ("val_f1", 640, 0.5)]


def test_a_heading_gives_its_epoch_to_the_lines_below():
    log = "Epoch 1\nloss: 0.5\nacc: 0.75\nEpoch 2\nloss: 0.25\n"
    assert values(read(log)) == [("loss", 1, 0.5), ("acc", 1, 0.75), ("loss", 2, 0.25)]


def test_a_key_that_comes_again_counts_where_nothing_tells_a_step():
    assert values(read("loss: 3\nacc: 1\nloss: 2\nacc: 2\nloss: 1\n")) == [
        ("loss", 0, 3.0), ("acc", 0, 1.0), ("loss", 1, 2.0), ("acc", 1, 2.0), ("loss", 2, 1.0),
    ]  # fmt: skip


def test_lines_of_one_shape_keep_the_digits_of_their_names():
    log = "step=1 top1=0.5 hits@10=0.1\nstep=2 top5=0.6 hits@01=0.2\nstep=3 top1=0.7 hits@10=0.3\n"
    assert values(read(log)) == [
        ("top1", 1, 0.5), ("hits@10", 1, 0.1), ("top5", 2, 0.6), ("hits@01", 2, 0.2), ("top1", 3, 0.7),
        ("hits@10", 3, 0.3),
    ]  # fmt: skip


def test_what_a_line_of_one_file_says_does_not_hang_on_another_file():
    moment, duration = "step=1 time=1760000000 loss=1\n", "step=1 time=12 loss=1\n"
    for first, second in ((moment, duration), (duration, moment)):
        read(first), read(second)
        assert read(moment).points.wall.tolist() == [1760000000.0]
        assert values(read(duration)) == [("time", 1, 12.0), ("loss", 1, 1.0)]


# Logs that the real tools printed ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(path.stem for path in FIXTURES.glob("*.log")))
def test_what_was_read_is_what_the_library_measured(name):
    data = (FIXTURES / f"{name}.log").read_bytes()
    found: dict[str, list[list[float]]] = {}
    for key, step, value in values(read(data)):
        found.setdefault(key, []).append([step, value])
    for key, points in json.loads((FIXTURES / f"{name}.json").read_text()).items():
        assert [step for step, _ in found[key]] == [step for step, _ in points]
        printed = [value for _, value in found[key]]
        assert printed == pytest.approx([value for _, value in points], rel=1e-3, abs=6e-6)
