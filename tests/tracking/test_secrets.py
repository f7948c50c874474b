"""What is hidden before it reaches a file, and what must stay readable."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import tracking
from workbench.tracking import redact, redact_argv

# Put together at run time, so that no secret scanner takes this file for a leak.
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
GITHUB = "ghp_" + "a1B2" * 9
HUGGING_FACE = "hf_" + "aBcDeFgHiJ" * 3
OPENAI = "sk-" + "proj-abc123def456ghi789"
JWT = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"
PEM = "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----"

SECRET_KEYS = [
    "token", "hf_token", "HF_TOKEN", "accessToken", "github-token", "apitoken", "auth_token", "access_tokens",
    "bot_token", "password", "db/password", "passwd", "PASSWORD", "ssh_passphrase", "secret", "client_secret",
    "aws_secret_access_key", "api_key", "apiKey", "APIKey", "api-key", "OPENAI_API_KEY", "apikey", "private_key",
    "credentials", "gcp_credential", "auth", "basic_auth", "Authorization", "oauth", "cookie", "session_cookie",
    "sentry_dsn", "DSN", "server.auth.header",
]  # fmt: skip
PLAIN_KEYS = [
    "tokenizer", "tokenizer_path", "max_tokens", "n_tokens", "num_tokens", "tokens_per_second", "pad_token",
    "eos_token", "special_tokens", "image_token", "token_embedding", "tokens", "next_token_loss",
    "model/max_token_length", "stoken_ratio", "author", "authors", "author_email", "authority", "key", "keyboard",
    "monkey", "primary_key", "sort_keys", "secretary", "passes", "bypass", "compass", "lr",
]  # fmt: skip


def hidden(value: object) -> bool:
    return isinstance(value, str) and value.startswith("«redacted:") and len(value) == len("«redacted:01234567»")


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_the_key_hides_the_value(key):
    assert hidden(redact(key, "hunter2"))


@pytest.mark.parametrize("key", PLAIN_KEYS)
def test_words_of_machine_learning_hide_nothing(key):
    assert redact(key, "bert-base") == "bert-base"


@pytest.mark.parametrize(
    "value", [AWS, GITHUB, HUGGING_FACE, OPENAI, JWT, PEM], ids=["aws", "github", "hf", "openai", "jwt", "pem"]
)
def test_the_shape_hides_the_value_under_any_key(value):
    assert hidden(redact("comment", value))
    assert value not in redact("comment", f"used {value} for this")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("postgres://user:hunter2@db.example.org/x?sslmode=on", "@db.example.org/x?sslmode=on"),
        ("https://hunter2@git.example.org/repo", "@git.example.org/repo"),
        ("https://example.org/api?token=hunter2&page=2", "&page=2"),
        ("Authorization: Bearer hunter2hunter2hunter2", "Authorization: Bearer "),
    ],
)
def test_only_the_secret_part_of_a_text_is_hidden(text, kept):
    shown = redact("endpoint", text)
    assert "hunter2" not in shown and "«redacted:" in shown and kept in shown


@pytest.mark.parametrize(
    "text",
    [
        "ssh://git@example.org/x", "http://example.org:8080/a@b", "task-12345678901234567890", "s3://bucket/k@v",
        "sk-learn", "hf_internal_testing/tiny-random-bert-for-tests", "«redacted:0123abcd»", "",
    ],
)  # fmt: skip
def test_harmless_texts_stay(text):
    assert redact("comment", text) == text


def test_numbers_and_truth_values_are_hidden_only_without_doubt():
    assert hidden(redact("password", 1234))
    assert redact("token", 5) == 5
    assert redact("use_auth", True) is True
    assert redact("password", None) is None
    assert redact("secret_loss", 0.5) == 0.5


def test_nested_values_are_looked_through():
    shown = redact("config", {"db": {"password": "x", "host": "h"}, "auth": {"user": "u"}, "keys": [AWS, "plain"]})
    assert hidden(shown["db"]["password"]) and shown["db"]["host"] == "h"
    assert hidden(shown["auth"]["user"]) and hidden(shown["keys"][0]) and shown["keys"][1] == "plain"


def test_equal_secrets_look_equal_and_different_ones_do_not():
    assert redact("token", "a") == redact("password", "a") != redact("token", "b")


@pytest.mark.parametrize(
    "argv",
    [
        ["train.py", "--api-key=hunter2", "--lr", "0.1"],
        ["train.py", "--token", "hunter2", "--lr", "0.1"],
        ["train.py", "+db.password=hunter2"],
        ["train.py", "-password", "hunter2"],
        ["train.py", "--url", "redis://:hunter2@cache:6379/0"],
    ],
)
def test_command_lines_lose_their_secrets_and_nothing_else(argv):
    shown = redact_argv(argv)
    assert len(shown) == len(argv) and not any("hunter2" in argument for argument in shown)
    assert [a for a, b in zip(argv, shown, strict=True) if "hunter2" not in a] == [
        b for a, b in zip(argv, shown, strict=True) if "hunter2" not in a
    ]


def test_command_lines_of_language_models_stay():
    argv = ["train.py", "--max-tokens", "512", "--tokenizer=bpe", "--author", "me", "--token-dim=64", "--lr=1e-3"]
    assert redact_argv(argv) == argv


@given(
    st.text(max_size=200) | st.sampled_from([f"x {AWS} y", f"https://a:{GITHUB}@h/p", f"?token={JWT}", PEM]),
    st.text(max_size=20),
)
def test_doing_it_twice_changes_nothing(value, key):
    once = redact(key, value)
    assert redact(key, once) == once


@given(st.lists(st.text(max_size=30) | st.sampled_from(["--token", "--password=x", "a=b", "-k"]), max_size=6))
def test_doing_it_twice_to_a_command_line_changes_nothing(argv):
    once = redact_argv(argv)
    assert redact_argv(once) == once


def test_no_secret_reaches_the_file(tmp_path, monkeypatch):
    monkeypatch.delenv("WORKBENCH_DIR", raising=False)
    monkeypatch.setattr("sys.orig_argv", ["python", "train.py", "--api-key", "hunter2", f"--x={GITHUB}"])
    params = {"db": {"password": "hunter2"}, "url": "https://u:hunter2@h", "max_tokens": 5, "secrets": ["hunter2"]}
    run = tracking.init(dir=tmp_path, params=params, tags={"token": "hunter2"})
    assert run.config["db"]["password"] == "hunter2"

    def training() -> None:
        with run:
            run.config["hf_token"] = "hunter2"
            run.log({"loss": 1.0, "cookie": "hunter2"})
            run.summary(auth="hunter2")
            run.note(f"do not tell {AWS}")
            run.data("https://u:hunter2@h/data.csv")
            raise RuntimeError(f"cannot reach https://u:hunter2@h with {JWT}")

    with pytest.raises(RuntimeError):
        training()
    raw = Path(run.path).read_text(encoding="utf-8")
    assert not any(secret in raw for secret in ("hunter2", AWS, GITHUB, JWT))
    start = json.loads(raw.splitlines()[0])
    assert start["params"]["max_tokens"] == 5 and hidden(start["params"]["db/password"])
