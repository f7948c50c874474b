"""What well-known trainers print: one line of the table for each, the general rule for all others."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct

from workbench.core.roles import guess
from workbench.readers.keys import metric_like
from workbench.readers.text.clean import BESIDE
from workbench.readers.text.found import Gathering, Reading, Role, text_of
from workbench.readers.text.names import measures
from workbench.readers.text.pairs import NUMBER, gather_pairs, may_say

GENERAL = "key=value"
_AXES: Sequence[Role] = ("step", "epoch", "position", "total", "steps", "epochs")
_OWN = r"(?P<value>" + NUMBER + r")"
_SPREAD = r"(?: ?\+ ?(?P<spread>" + NUMBER + r"))?"

Rename = Callable[[str, "re.Match[str]"], str | None]


class Dialect(Struct, frozen=True):
    """A trainer's lines: those in which `needle` and then `lead` are found.

    Groups of the lead named like an axis are one; behind it come the metrics: by the general rule of pairs, or by a
    pattern with the groups `key`, `value` and perhaps `spread`.
    """

    name: str
    needle: str
    lead: re.Pattern[str]
    pairs: re.Pattern[str] | Literal["general", "any word", "none"] = "general"
    rename: Rename | None = None
    """The key of a metric from its name in the line and the lead; None leaves it out."""
    prefix: str = ""

    def read(self, line: str) -> Reading | None:
        """What a line of this dialect says; None when it is another's."""
        if self.needle not in line:
            return None
        lead = self.lead.search(line)
        if lead is None:
            return None
        into = Gathering(self.name)
        groups = lead.re.groupindex
        for axis in _AXES:
            if axis in groups and lead[axis] is not None:
                into.axis(axis, lead.span(axis))
        if self.pairs == "none":
            return into.reading()
        if isinstance(self.pairs, str):
            gather_pairs(into, line, lead.end(), any_word=self.pairs == "any word")
            into.rename(lambda key: self.prefix + key if self.rename is None else self.rename(key, lead))
        else:
            self._by_pattern(into, line, lead, self.pairs)
        return into.reading() if into.keys else None

    def _by_pattern(self, into: Gathering, line: str, lead: re.Match[str], pairs: re.Pattern[str]) -> None:
        for match in pairs.finditer(line, lead.end()):
            key: str | None = text_of(match["key"])
            if self.rename is not None:
                key = self.rename(text_of(match["key"]), lead)
            if key is None:
                continue
            if key in _AXES:
                into.axis(key, match.span("value"))  # type: ignore[arg-type]
                continue
            groups = match.re.groupindex
            unit = match["unit"] if "unit" in groups else None
            key = self.prefix + key + (f"_{unit}" if unit in ("ms", "us") else "")
            into.metric(key, match.span("value"), match.span("key"))
            if "spread" in groups and match["spread"]:
                into.metric(f"{key}_std", match.span("spread"))


def _renamed(**names: str | None) -> Rename:
    return lambda key, lead: names.get(key, key)


def _nanogpt(key: str, lead: re.Match[str]) -> str:
    return key.replace(" ", "/")


def _xgboost(key: str, lead: re.Match[str]) -> str:
    """`validation_0-ndcg@3-` is the metric `ndcg@3-` of `validation_0`."""
    name, _, metric = key.rstrip("-").rpartition("-")
    return f"{name}/{metric}{'-' * (len(key) - len(key.rstrip('-')))}"


def _lightgbm(key: str, lead: re.Match[str]) -> str:
    name, _, metric = key.rpartition("'s ") if "'s " in key else key.partition(" ")
    return f"{name}/{metric}"


def _megatron(key: str, lead: re.Match[str]) -> str | None:
    name = re.sub(r"[ (]+", "_", key.strip().replace(")", ""))
    return name.removesuffix("_value") if name not in ("iteration", "elapsed_time") else None


def _fairseq(key: str, lead: re.Match[str]) -> str | None:
    """`train_loss` in a `train` record is `train/loss`; its count of updates is the step."""
    name = key.removeprefix(lead["split"] + "_")
    if name == "num_updates":
        return "step"
    return None if name in ("update", "wall") else f"{lead['split']}/{name}"


_LIST = re.compile(rf"(?P<key>[A-Za-z]\w{{0,63}}(?: \w{{1,63}})?) {_OWN}(?P<unit>ms|s|%)?(?=,|\s|$)")
_BOOSTED = re.compile(rf"(?<=\s)(?P<key>[^\s:]{{1,128}}-[^\s:]{{1,64}}):{_OWN}{_SPREAD}(?=\s|$)")
_LIGHT = re.compile(rf"(?:(?<=\t)|(?<=\] ))(?P<key>[^\t:]{{1,128}}'s [^\t:]{{1,128}}): {_OWN}{_SPREAD}(?=\s|$)")
_LIGHT_CLI = re.compile(rf"(?<=, )(?P<key>[\w.-]{{1,64}} [\w.@-]{{1,64}}) : {_OWN}(?=\s|$)")
_CAT = re.compile(rf"\t(?P<key>[\w-]{{1,64}}): {_OWN}(?=\s|$)")
_PIPED = re.compile(rf"\| (?P<key>[A-Za-z][^|:]{{0,63}}):\s{{1,16}}{_OWN}(?=\s?\|)")
_RECORD = re.compile(rf"\"(?P<key>\w{{1,128}})\": \"?{_OWN}\"?(?=[,}}])")

DIALECTS: Sequence[Dialect] = (
    Dialect("nanogpt", "loss ", re.compile(r"(?:^|\s)(?:step|iter) (?P<step>\d+): (?=(?:train )?loss )"), _LIST,
            _nanogpt),
    Dialect("llm.c", "s:", re.compile(r"^s:(?P<step>\d+) (?=(?:trl|tel|eval):)"),
            re.compile(rf"(?P<key>\w{{1,16}}):{_OWN}(?=\s|$)"),
            _renamed(trl="train/loss", tel="val/loss", eval="eval/acc", norm="grad_norm")),
    Dialect("torchtune", " | ", re.compile(r"^Step (?P<step>\d+) \| (?=\w+:)"),
            re.compile(rf"(?P<key>[\w/.-]{{1,64}}):{_OWN}(?=\s|$)")),
    Dialect("lightgbm", "'s ", re.compile(r"\[(?P<step>\d+)\](?=\s[^\t:]{1,128}'s )"), _LIGHT, _lightgbm),
    Dialect("lightgbm", "Iteration:", re.compile(r"Iteration:(?P<step>\d+)(?=, [\w.-]{1,64} [\w.@-]{1,64} : )"),
            _LIGHT_CLI, _lightgbm),
    Dialect("xgboost", "-", re.compile(r"\[(?P<step>\d+)\](?=\s[^\s:]{1,128}-[^\s:]{1,64}:)"), _BOOSTED, _xgboost),
    Dialect("catboost", "\t", re.compile(r"^(?P<step>\d+):(?=\t(?:learn|test)\d*:)"), _CAT,
            _renamed(best=None, total=None, remaining=None, bestTest=None)),
    Dialect("megatron", "|", re.compile(r"\biteration\s{1,16}(?P<step>\d+)/\s{0,16}(?P<steps>\d+)(?= \|)"), _PIPED,
            _megatron),
    Dialect("megatron", "validation loss at iteration",
            re.compile(r"validation loss at iteration (?P<step>\d+)[^|]{0,64}(?=\|)"), _PIPED, _megatron,
            "validation/"),
    Dialect("fairseq", "| {", re.compile(r"\| (?P<split>train_inner|train|valid\w{0,32}|test\w{0,32}) \| (?=\{)"),
            _RECORD, _fairseq),
    Dialect("fairseq", "epoch ", re.compile(r"epoch (?P<epoch>\d+):\s+(?P<position>\d+) / (?P<total>\d+) (?=\w+=)")),
    Dialect("pytorch", "Train Epoch: ",
            re.compile(r"Train Epoch: (?P<epoch>\d+) \[\s*(?P<position>\d+)/(?P<total>\d+)(?: \(\s{0,3}\d+%\))?\]")),
    Dialect("timm", "Train: ", re.compile(
            r"Train: (?P<epoch>\d+) \[\s{0,8}(?P<position>\d+)/\s{0,8}(?P<total>\d+)(?: \(\s{0,3}\d+%\))?\]")),
    Dialect("pytorch", " batches", re.compile(
            r"\| epoch\s{1,8}(?P<epoch>\d+) \|\s{1,8}(?P<position>\d+)/\s{0,8}(?P<total>\d+) batches"), "any word"),
    Dialect("pytorch", "Test set: ", re.compile(r"Test set: "),
            rename=_renamed(Average_loss="test/loss", Accuracy="test/accuracy")),
    Dialect("pytorch", "* Acc@", re.compile(r"^\s{0,8}\* (?=Acc@)"), "any word", prefix="test/"),
    Dialect("pytorch", "Test: ", re.compile(r"^Test:\s{1,4}\[\s{0,8}\d+/\d+\]"), "none"),
    Dialect("pytorch", "Epoch", re.compile(
            r"Epoch:? ?\[(?P<epoch>\d+)\]\s{0,4}\[\s{0,8}(?P<position>\d+)/(?P<total>\d+)\]"), "any word"),
    Dialect("mmengine", "Epoch(train)", re.compile(
            r"Epoch\(train\)\s{0,4}\[(?P<epoch>\d+)\]\s{0,4}\[\s{0,8}(?P<position>\d+)/(?P<total>\d+)\]")),
    Dialect("mmengine", "Iter(train)",
            re.compile(r"Iter\(train\)\s{0,4}\[\s{0,8}(?P<step>\d+)/\s{0,8}(?P<steps>\d+)\]")),
    Dialect("mmengine", "Epoch(", re.compile(r"Epoch\(\w+\)\s{0,4}\[(?P<epoch>\d+)\]\s{0,4}\[\s{0,8}\d+/\d+\]")),
    Dialect("mmengine", "Iter(", re.compile(r"Iter\(\w+\)\s{0,4}\[\s{0,8}\d+/\s{0,8}\d+\]")),
    Dialect("keras", "Epoch ", re.compile(r"^Epoch (?P<epoch>\d+)/(?P<epochs>\d+)\s*$"), "none"),
)  # fmt: skip
"""The trainers whose lines are known by name, the first that fits; whatever needs more than a line here is a function
of `_SPECIAL`."""


# Lines that a pattern alone does not tell ----------------------------------------------------------------------

_ENTRY = re.compile(rf"['\"](?P<key>[^'\"\\]{{1,128}}+)['\"]: ['\"]?{_OWN}['\"]?(?=[,}}])")
_KERAS = re.compile(r"^\s*\d+/(?:\d+|Unknown)\s(?:[^-]{0,512})- ")
_PER_STEP = re.compile(r" (?P<value>\d+)(?P<unit>ms|us|s)/step")
_TQDM = re.compile(
    r"(?P<desc>[^|]{0,256}?)\s?(?:\d{1,3}%\|[^|]{0,1024}\| ?)\s{0,8}(?P<position>\d+)/(?P<total>\d+) "
    r"\[[\d:]+<[\d:?]+(?:, {1,4}(?:(?P<rate>[\d.]+)(?P<unit>[A-Za-z]{1,16}/s|s/[A-Za-z]{1,16})|\?[\w/]{1,20}))?"
)
_NAMED_EPOCH = re.compile(r"[Ee]poch[ :#\[(]{0,4}(?P<epoch>\d+)(?:/(?P<epochs>\d+))?")
_NO_TRAINING = re.compile(r"valid|test|sanity|eval|predict|\bval\b", re.IGNORECASE)
_BESIDE = re.compile(rf"{BESIDE}(?P<bar>\d+)/(?P<bars>\d+){BESIDE}")


def _hugging_face(line: str) -> Reading | None:
    """A dict as the Trainer prints it, its keys renamed as its TensorBoard callback renames them."""
    beside = _BESIDE.match(line)
    start = beside.end() if beside else 0
    begin = line.find("{", start)
    if begin < 0 or line[begin + 1 : begin + 2] not in ("'", '"') or not line.rstrip().endswith("}"):
        return None
    entries = list(_ENTRY.finditer(line, begin))
    keys = [match["key"] for match in entries]
    if not keys or ("epoch" not in keys[-3:] and not any(map(metric_like, keys))):
        return None
    trainer = "epoch" in keys[-3:] and "step" not in keys and _is_trainers(keys)
    into = Gathering("hugging face" if trainer else "dict")
    if beside:
        into.axis("bar", beside.span("bar"))
        into.axis("bars", beside.span("bars"))
    for match in entries:
        if trainer:
            into.metric(_trainer_key(text_of(match["key"])), match.span("value"), match.span("key"))
        elif match["key"].lower() in ("step", "global_step", "iter", "iteration", "epoch") and match["value"].isdigit():
            into.axis("epoch" if match["key"].lower() == "epoch" else "step", match.span("value"))
        else:
            into.metric(text_of(match["key"]), match.span("value"), match.span("key"))
    return into.reading()


def _is_trainers(keys: Sequence[str]) -> bool:
    return keys[-1] == "epoch" or any(key in ("learning_rate", "loss") or key.startswith("eval_") for key in keys)


def _trainer_key(key: str) -> str:
    for split in ("eval", "test"):
        if key.startswith(f"{split}_"):
            return f"{split}/{key.removeprefix(f'{split}_')}"
    return f"train/{key}"


def _keras(line: str) -> Reading | None:
    """`469/469 - 2s - loss: 0.25 - accuracy: 0.9`, with a bar or without; its epoch is an earlier line's."""
    lead = _KERAS.match(line) if "/" in line and ": " in line else None
    if lead is None:
        return None
    into = Gathering("keras")
    per_step = _PER_STEP.search(line, 0, 1024)
    if per_step:
        scale = {"us": 1e-3, "ms": 1.0, "s": 1e3}[per_step["unit"]]
        into.metric("time_per_step_ms", per_step.span("value"), None, scale)
    before = len(into.found)
    gather_pairs(into, line, lead.end())
    return into.reading() if len(into.found) > before else None


def _progress(line: str) -> Reading | None:
    """A tqdm bar: `Epoch 3:  45%|███| 45/100 [00:03<00:04, 12.3it/s, loss=0.5]`."""
    bar = _TQDM.match(line) if "%|" in line else None
    if bar is None:
        return None
    into = Gathering("tqdm")
    named = _NAMED_EPOCH.search(bar["desc"])
    if not bar["desc"].strip():
        into.axis("bar", bar.span("position"))
        into.axis("bars", bar.span("total"))
    elif not _NO_TRAINING.search(bar["desc"]):
        if named:
            into.axis("epoch", named.span("epoch"))
            if named["epochs"]:
                into.axis("epochs", named.span("epochs"))
        into.axis("position", bar.span("position"))
        into.axis("total", bar.span("total"))
    gather_pairs(into, line, bar.end())
    gather_pairs(into, line, end=bar.end("desc"))
    if into.keys and bar["rate"]:
        things = bar["unit"].removesuffix("/s") if bar["unit"].endswith("/s") else bar["unit"].removeprefix("s/")
        into.metric(f"{things}/s", bar.span("rate"), bar.span("unit"), inverse=bar["unit"].startswith("s/"))
    return into.reading()


def _general(line: str) -> Reading | None:
    """Any line of pairs with a step, an epoch or a metric's name; without them it may be one of settings."""
    into = Gathering(GENERAL)
    gather_pairs(into, line)
    if into.has("step", "epoch", "position"):
        return into.reading()
    if not any(metric_like(key) or guess(key).kind in ("performance", "latency") for key in into.keys):
        return into.nothing()
    return into.reading(is_setting=not any(map(measures, into.keys)))


_SPECIAL: Sequence[Callable[[str], Reading | None]] = (_hugging_face, _progress, _keras)


def read_line(line: str) -> Reading | None:
    """What a line says, None when it is mere text."""
    if not may_say(line):
        return None
    for dialect in DIALECTS:
        if reading := dialect.read(line):
            return reading
    if "{" in line or "/" in line:
        for special in _SPECIAL:
            reading = special(line)
            if reading is not None and reading.found:
                return reading
    return _general(line)
