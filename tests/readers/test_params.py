"""Parameters come from the files beside the logs, without secrets and without surprises."""

import json

import pytest

from workbench.readers.params import PARAM_FILES, facts_beside


def params(**folder):
    """Parameters of a folder; `__` in a name stands for a dot, for keyword arguments."""
    files = {name.replace("__", "."): text.encode() if isinstance(text, str) else text for name, text in folder.items()}
    return {fact.key: fact.value for fact in facts_beside(files) if fact.kind == "param"}


def notes(folder):
    return [fact.value for fact in facts_beside(folder) if fact.kind == "note"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("hparams.yaml", "lr: 0.001\nopt:\n  name: adam\n  betas: [0.9, 0.999]\namp: true\n"),
        ("config.json", '{"lr": 1e-3, "opt": {"name": "adam", "betas": [0.9, 0.999]}, "amp": true}'),
        ("config.toml", 'lr = 1e-3\namp = true\n[opt]\nname = "adam"\nbetas = [0.9, 0.999]\n'),
        (".hydra/config.yaml", "lr: 1e-3\nopt: {name: adam, betas: [0.9, 0.999]}\namp: true\n"),
    ],
)
def test_nested_parameters_are_joined_by_dots(name, text):
    found = {fact.key: fact.value for fact in facts_beside({name: text.encode()})}
    assert found == {"lr": 0.001, "opt.name": "adam", "opt.betas": "[0.9, 0.999]", "amp": True}


def test_a_learning_rate_without_a_point_is_a_number_unless_quoted():
    assert params(hparams__yaml="a: 1e-4\nb: '1e-4'\nc: 2E5\n") == {"a": 0.0001, "b": "1e-4", "c": 200000.0}


def test_a_commit_that_begins_like_a_number_is_text():
    assert params(config__yaml="commit: 16e2985b870e\nlr: 16e2\n") == {"commit": "16e2985b870e", "lr": 1600.0}


def test_python_tags_are_read_as_plain_values():
    text = """
net: !!python/object:argparse.Namespace {depth: 3}
device: !!python/object/apply:torch.device [cuda, 0]
act: !!python/name:torch.nn.ReLU ''
size: !!python/tuple [1, 2]
home: !Env HOME
"""
    assert params(hparams__yaml=text) == {
        "net.depth": 3, "device": "torch.device(cuda, 0)", "act": "torch.nn.ReLU", "size": "[1, 2]", "home": "HOME",
    }  # fmt: skip


def test_nothing_in_a_yaml_file_is_executed(tmp_path):
    target = tmp_path / "made"
    params(hparams__yaml=f"x: !!python/object/apply:os.mkdir ['{target}']\n")
    assert not target.exists()


def test_values_that_json_cannot_hold_become_text():
    found = params(args__yaml=f"a: .nan\nb: 2024-01-02\nc: {2**70}\nd: !!set {{x, y}}\ne: 2024-13-45\n")
    assert found == {"a": "nan", "b": "2024-01-02", "c": str(2**70), "d": '["x", "y"]', "e": "2024-13-45"}
    assert json.dumps(found, allow_nan=False)


def test_secrets_are_replaced_wherever_they_stand():
    text = "api_key: abcdef123456\ncallbacks: [{password: hunter22}]\nurl: https://me:secret@host/x\n"
    shown = repr(params(config__yaml=text)) + repr(
        facts_beside({".hydra/overrides.yaml": b"- lr=0.1\n- hub.token=tok12345\n"})
    )
    assert "lr=0.1" in shown
    for secret in ("abcdef123456", "hunter22", "me:secret", "tok12345"):
        assert secret not in shown


def test_what_was_typed_for_hydra_is_kept():
    assert facts_beside({".hydra/overrides.yaml": b"- lr=0.1\n- model=big\n"})[0].value == "lr=0.1 model=big"


def test_the_more_specific_file_holds():
    both = {"params.yaml": b"lr: 1\nseed: 1\n", "hparams.yaml": b"lr: 2\n"}
    assert {f.key: f.value for f in facts_beside(both)} == {"lr": 2, "seed": 1}
    assert PARAM_FILES.index("params.yaml") < PARAM_FILES.index("hparams.yaml")


@pytest.mark.parametrize("text", [b"", b"# nothing\n", b"- a\n- b\n", b"a: [1,\n", b"a: *nobody\n", b"\xff\xfe", b"\0"])
def test_empty_broken_and_half_written_files_say_nothing(text):
    assert facts_beside({"hparams.yaml": text, "config.json": text, "config.toml": text}) == []


LAUGHS = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 9)) for i in range(8)
)
MERGES = b"k0: &k0 {x: 1}\n" + b"".join(
    b"k%d: &k%d {<<: [%s]}\n" % (i, i, b",".join([b"*k%d" % (i - 1)] * 10)) for i in range(1, 9)
)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (LAUGHS, "aliases written out"),
        (MERGES, "aliases written out"),
        (b"a: &a [*a]\n", "contains itself"),
        (b"a: " + b"[" * 100_000, "nested deeper than 32"),
        (b"a: " + b"x" * 1_100_000, "more than 1,048,576"),
    ],
)
@pytest.mark.timeout(30)
def test_bombs_are_refused_and_said(data, why):
    [note] = notes({"hparams.yaml": data})
    assert note.startswith("hparams.yaml is not read: ") and why in note


def test_deep_json_is_refused_too():
    deep = b'{"a":' * 40 + b"1" + b"}" * 40
    assert notes({"config.json": deep}) == ["config.json is not read: nested deeper than 32 levels"]
    assert facts_beside({"config.json": b'{"a":' * 5000 + b"1" + b"}" * 5000}) == []


def test_long_lists_and_texts_are_cut_short():
    found = params(config__json=json.dumps({"ids": list(range(1000)), "text": "x" * 10_000}))
    assert found["ids"] == "list of 1,000"
    assert len(found["text"]) == 4097
