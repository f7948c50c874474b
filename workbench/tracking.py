"""Logs experiments from any training script: one file, standard library only, made to be copied.

Each process appends one file of JSON lines, `<dir>/<name>-<id>/<id>.wb.jsonl`. A line is one `os.write`, so it is in
the kernel when the call returns and survives whatever kills the process. There is no thread, no network and no
database, and no call raises into training: what fails is named once on stderr and left out.

    with init(project="flights", params={"lr": 3e-4}, total_steps=1000) as run:
        with run.stage("training", rows=50_000):
            run.log({"train/loss": loss, "val/accuracy": accuracy}, step=step)
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import TracebackType
    from typing import Any, TypeVar

    Method = TypeVar("Method", bound=Callable[..., Any])
    _Dict = dict[str, Any]
else:
    _Dict = dict

__all__ = ["Run", "copy_to", "finish", "init", "log", "log_artifact", "redact", "redact_argv"]

FORMAT = 1
"""Version of the file format, `v` on the first line."""
_TEXT_LIMIT = 16_384
_LIST_LIMIT = 256
_DEPTH_LIMIT = 8
_INFINITY = float("inf")
_NUMBERS = frozenset({float, int})
_NOT_FINITE = ("NaN", "Infinity", "-Infinity")
_STATUSES = ("finished", "failed", "killed")
_PACKAGES = (
    "numpy torch torchvision lightning pytorch_lightning transformers accelerate datasets peft diffusers timm "
    "tensorflow keras jax flax optax sklearn scipy xgboost lightgbm catboost ultralytics pandas polars"
)


# Secrets ---------------------------------------------------------------------------------------------------------

_STRONG = ("passw", "passphrase", "secret", "credential", "apikey")
"""A key with a word that contains one of these is secret whatever its value is."""
_KEY_OWNERS = frozenset({"api", "access", "private", "signing", "encryption", "account"})
"""`<owner> key` is secret; a bare `key` is not."""
_VOCABULARY = (
    "pad eos bos unk mask cls sep special stop end eot eom image video audio text word sub input output prompt decoder "
    "forced placeholder added extra new next last first per max min num n count dim len length size type types "
    "embedding embeddings loss ratio rate limit budget prob accuracy dropout merging pruning mixing"
)
"""Beside one of these, `token` is a piece of text to a language model and not a credential."""
_ISSUERS = "access api auth bearer refresh session secret hf github gitlab slack wandb csrf id jwt"
"""Beside one of these, `token` and `tokens` are credentials after all."""
_SHAPES = (
    r"(?:AKIA|ASIA)[0-9A-Z]{16}"
    r"|gh[opsur]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|hf_[A-Za-z0-9]{20,}|xox[abprs]-[\w-]{10,}"
    r"|(?<![A-Za-z0-9])sk-(?=[\w-]*\d)[\w-]{20,}"
    r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"
    r"|(?i:(?<=bearer ))[\w.~+/=-]{16,}"
    r"|(?<=://)(?!«redacted:)(?:[^\s/@:]*:[^\s/]*|(?<=https://)[^\s/@:]+|(?<=http://)[^\s/@:]+)(?=@)"
    r"|(?i:(?<=[?&;\s]token=)|(?<=[?&;\s]password=)|(?<=[?&;\s]secret=)|(?<=[?&;\s]api_key=))(?!«redacted:)[^\s&;]+"
    r"|-----BEGIN [A-Z0-9 ]+-----(?:[\s\S]*?-----END [A-Z0-9 ]+-----|[\s\S]*)"
)
_patterns: dict[str, Any] = {}


def _pattern(source: str) -> Any:
    if source not in _patterns:
        import re

        _patterns[source] = re.compile(source)
    return _patterns[source]


def _mask(text: str) -> str:
    if _pattern(r"«redacted:[0-9a-f]{8}»").fullmatch(text):
        return text
    import hashlib

    return f"«redacted:{hashlib.sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}»"


def _secrecy(key: str) -> int:
    """2 for a key whose value is always secret, 1 for one whose text is, 0 for any other."""
    words = [word.lower() for word in _pattern(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+").findall(key)]
    pairs = zip(words, words[1:])  # noqa: B905, RUF007 - runs on older Pythons too
    if any(part in word for word in words for part in _STRONG if word != "secretary"):
        return 2
    if any(owner in _KEY_OWNERS and word in ("key", "keys") for owner, word in pairs):
        return 2
    for word in words:
        if "cookie" in word or word.endswith(("dsn", "auth", "authn", "authz")):
            return 1
        if word.startswith(("authoriz", "authentic")):
            return 1
        if word.endswith(("token", "tokens")):
            issued = not set(words).isdisjoint(_ISSUERS.split())
            return int(issued or (word[-1] == "n" and set(words).isdisjoint(_VOCABULARY.split())))
    return 0


def redact(key: str, value: Any) -> Any:
    """The value with secrets replaced by `«redacted:<first 8 of sha256>»`, by what the key says and by shape.

    A key hides the whole text (`api_key`, `hf_token`, `db/password`; not `tokenizer`, `max_tokens`, `author`); a shape
    hides its own stretch (`AKIA…`, `ghp_…`, `hf_…`, `sk-…`, a JWT, `user:password@` of a URL, a PEM block). Numbers are
    hidden only where the key leaves no doubt. Doing it twice changes nothing.
    """
    if isinstance(value, dict):
        return {name: redact(f"{key}/{name}", item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [redact(key, item) for item in value]
    if isinstance(value, str) and value:
        return _mask(value) if _secrecy(key) else _pattern(_SHAPES).sub(lambda found: _mask(found[0]), value)
    if type(value) is int and _secrecy(key) == 2:
        return _mask(str(value))
    return value


def redact_argv(argv: Iterable[str]) -> list[str]:
    """A command line with its secrets replaced: `--api-key=x`, `--token x`, `db.password=x`, and by shape."""
    shown: list[str] = []
    flag = ""
    for argument in argv:
        name, equals, value = argument.partition("=")
        if flag and not argument.startswith("-"):
            shown.append(redact(flag, argument))
        elif equals and "://" not in name:
            shown.append(f"{name}={redact(name, value)}")
        else:
            shown.append(redact("", argument))
        flag = argument if argument.startswith("-") and not equals else ""
    return shown


# Values ----------------------------------------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    """A JSON value for anything: numbers by `.item()`, NaN and infinities as words, the rest as short text."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        number = float(value)
        if -_INFINITY < number < _INFINITY:
            return number
        return "Infinity" if number > 0 else "-Infinity" if number < 0 else "NaN"
    if isinstance(value, str):
        return value if len(value) <= _TEXT_LIMIT else value[:_TEXT_LIMIT] + "…"
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in list(value)[:_LIST_LIMIT]]
    return _foreign(value)


def _foreign(value: Any) -> Any:
    """A JSON value for a tensor, array, path, Decimal or any other object."""
    item = getattr(value, "item", None)
    if callable(item):
        try:
            number = item()
        except Exception:  # noqa: BLE001 - an array of several elements; what is raised differs by library
            return f"<{type(value).__name__} of shape {tuple(getattr(value, 'shape', ()))}>"
        return _plain(number) if isinstance(number, (bool, int, float, str)) else str(number)[:_TEXT_LIMIT]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "__float__"):
        return _plain(float(value))
    return str(value)[:_TEXT_LIMIT]


def _flatten(data: Mapping[Any, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    from collections.abc import Mapping

    for key, value in data.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            if depth < _DEPTH_LIMIT:
                yield from _flatten(value, f"{name}/", depth + 1)
            else:
                yield name, str(value)
        else:
            yield name, value


def _mapping(data: Any) -> Any:
    """What to take for a mapping: a mapping, pairs, an argparse namespace, a dataclass, or nothing."""
    if data is None:
        return {}
    return vars(data) if hasattr(data, "__dict__") and not hasattr(data, "keys") else data


def _attributes(data: Mapping[Any, Any]) -> dict[str, Any]:
    """One level of plain values without secrets."""
    return {key: redact(key, _plain(value)) for key, value in _flatten(data)}


def _split(data: Mapping[Any, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Logged values as numbers and as attributes."""
    numbers: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    for key, value in _flatten(data):
        plain = _plain(value)
        if type(plain) in _NUMBERS or (plain in _NOT_FINITE and not isinstance(value, str)):
            numbers[key] = plain
        else:
            attributes[key] = redact(key, plain)
    return numbers, attributes


# The machine -----------------------------------------------------------------------------------------------------


def _read(*parts: str) -> str:
    try:
        with open(os.path.join(*parts), encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def _process() -> dict[str, Any]:
    """What tells whether this process still lives: on Linux a pid is the same one if boot and start agree."""
    start = _read("/proc/self/stat").rpartition(")")[2].split()
    return {
        "pid": os.getpid(),
        "host": os.uname().nodename,
        "boot": _read("/proc/sys/kernel/random/boot_id") or None,
        "start_ticks": int(start[19]) if len(start) > 19 else None,
    }


def _git(folder: str) -> dict[str, Any] | None:
    """Commit, branch and dirty flag of the work tree around a folder; None outside of one."""
    while not os.path.exists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    directory = os.path.join(folder, ".git")
    if os.path.isfile(directory):
        directory = os.path.join(folder, _read(directory).partition("gitdir: ")[2])
    common = os.path.join(directory, _read(directory, "commondir"))
    head = _read(directory, "HEAD")
    branch = head[5:] if head.startswith("ref: ") else ""
    commit = head if not branch else _read(directory, branch) or _read(common, branch) or _packed(common, branch)
    commit = commit if len(commit) in (40, 64) and commit.isalnum() else ""
    return {"commit": commit or None, "branch": branch.replace("refs/heads/", "", 1) or None, "dirty": _dirty(folder)}


def _packed(directory: str, branch: str) -> str:
    lines = (line.partition(" ") for line in _read(directory, "packed-refs").splitlines())
    return next((commit for commit, _, name in lines if name == branch), "")


def _dirty(folder: str) -> bool | None:
    """Whether tracked files differ from the commit; None where git is missing or takes more than a second."""
    import subprocess

    command = "git --no-optional-locks -c core.fsmonitor=false status --porcelain -uno"
    try:
        answer = subprocess.run(command.split(), cwd=folder, stdin=-3, stdout=-1, stderr=-3, timeout=1, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return bool(answer.stdout)


def _packages() -> dict[str, str]:
    """Versions of the libraries that are already imported; nothing is imported to find out."""
    versions = {name: getattr(sys.modules.get(name), "__version__", None) for name in _PACKAGES.split()}
    return {name: str(version) for name, version in versions.items() if version}


def _fingerprint(path: str) -> dict[str, Any]:
    """Size and content hash of a file, or of a folder's files in order of their names; URLs are only named."""
    if "://" in path:
        return {"path": redact("path", path)}
    import hashlib

    digest, size = hashlib.sha256(), 0
    files = [path]
    if os.path.isdir(path):
        inside = (os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names)
        files = sorted(filter(os.path.isfile, inside))
    for name in files:
        if name != path:
            digest.update(os.path.relpath(name, path).encode("utf-8", "surrogateescape") + b"\0")
        with open(name, "rb", buffering=0) as file:
            while block := file.read(1 << 20):
                digest.update(block)
                size += len(block)
    return {"path": redact("path", path), "bytes": size, "sha256": digest.hexdigest()}


# Failing quietly -------------------------------------------------------------------------------------------------

_warned: set[str] = set()


def _warn(about: str, message: object) -> None:
    """One line on stderr for the first failure of its kind; training goes on."""
    if about not in _warned:
        _warned.add(about)
        try:
            sys.stderr.write(f"workbench: {message}; training goes on, what could not be logged is missing\n")
        except (AttributeError, OSError, ValueError):  # stderr is closed or None
            pass


def _quietly(method: Method) -> Method:
    """Make a method that cannot raise: it warns and returns None instead."""

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - a lost line must not end a training
            _warn(type(error).__name__, f"{method.__name__}() failed: {type(error).__name__}: {error}")
            return None

    call.__name__, call.__doc__, call.__wrapped__ = method.__name__, method.__doc__, method  # type: ignore[attr-defined]
    return call  # type: ignore[return-value]


# The run ---------------------------------------------------------------------------------------------------------


class Recorded(_Dict):
    """A dict, readable by attribute too, that appends what is set in it: `run.config` and `run.summary`."""

    __slots__ = ("_record",)

    def __init__(self, record: Callable[[Any], None]) -> None:
        object.__setattr__(self, "_record", record)
        super().__init__()

    @_quietly
    def update(self, data: Any = None, allow_val_change: bool = True, **more: Any) -> None:  # type: ignore[override]
        """Set and record several values; `allow_val_change` is accepted and means nothing here."""
        given = dict(_mapping(data))
        given.update(more)
        super().update(given)
        self._record(given)

    __call__ = update

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    __setattr__ = __setitem__

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value of a key, set and recorded first where it is missing."""
        if key not in self:
            self[key] = default
        return self[key]

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"{name!r} was not set; set are: {', '.join(map(str, self)) or 'none'}") from None


class Stage:
    """One step of the pipeline as a context manager; set `rows` inside when they are known only then."""

    def __init__(self, run: Run, name: str, rows: int | None) -> None:
        self.run, self.name, self.rows = run, name, rows
        self.start = 0.0

    def __enter__(self) -> Stage:
        self.start = time.time()
        self._record("running", None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._record("failed" if kind else "finished", time.time())

    @_quietly
    def _record(self, status: str, end: float | None) -> None:
        rows = None if self.rows is None else int(self.rows)
        self.run._send(t="stage", name=str(self.name), start=self.start, end=end, rows=rows, status=status)


class Run:
    """One execution of a training script, being written; made by `init`."""

    def __init__(self, name: str | None, project: str | None, run_id: str | None) -> None:
        import json

        self.id = str(run_id or os.urandom(4).hex())
        self.name = None if name is None else str(name)
        self.project = None if project is None else str(project)
        self.dir = ""
        """The run's folder; empty when nothing could be opened."""
        self.path = ""
        """The file this process appends."""
        self.step = 0
        """The step that the next `log` without one gets."""
        self.config = Recorded(self._params)
        self.params = self.config
        self.summary = Recorded(self._summary)
        self._encode = json.JSONEncoder(allow_nan=False, separators=(",", ":"), check_circular=False).encode
        self._fd = -1
        self._stem = ""
        self._torn = False
        self._ended = False
        self._notes = 0
        self._pid = self._owner = os.getpid()

    # writing

    def _open(self, folder: str, stem: str) -> None:
        """Create this process's own file; one that exists belongs to another process."""
        os.makedirs(folder, exist_ok=True)
        suffix = ""
        for attempt in range(2, 1000):
            path = os.path.join(folder, f"{stem}{suffix}.wb.jsonl")
            try:
                self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
            except FileExistsError:
                suffix = f"-{attempt}"
            else:
                self.dir, self.path, self._stem = folder, path, stem
                return
        raise FileExistsError(f"{folder} holds too many files of run {self.id}")

    def _append(self, line: bytes) -> None:
        """Append one line with one `os.write`; what a full disk cut off is completed, or ended before the next line."""
        if os.getpid() != self._pid:
            self._fork()
        if self._torn:
            line = b"\n" + line
        written = os.write(self._fd, line)
        while written < len(line):
            self._torn, line = True, line[written:]
            written = os.write(self._fd, line)
        self._torn = False

    def _send(self, **fields: Any) -> None:
        if self._fd < 0 or self._ended:
            return
        fields.setdefault("ts", time.time())
        self._append(self._encode(fields).encode("ascii") + b"\n")

    def _fork(self) -> None:
        """In a forked child: leave the parent's file alone and start one of our own for the same run."""
        parent, self._pid = self._pid, os.getpid()
        os.close(self._fd)
        self._fd, self._torn = -1, False
        self._open(self.dir, f"{self._stem}-{self._pid}")
        self._send(v=FORMAT, t="fork", run=self.id, parent=parent, **_process())

    def _params(self, data: Any) -> None:
        self._send(t="params", params=_attributes(data))

    def _summary(self, data: Any) -> None:
        self._send(t="summary", summary=_attributes(data))

    # logging

    def log(self, data: Mapping[str, Any] | None = None, step: Any = None, commit: bool = True, **metrics: Any) -> None:
        """Append the values of one step, numbers as points and text and truth values as attributes.

        Nested dicts flatten with `/`. Without a step the next one is taken, and `commit=False` keeps it for the next
        call; several calls may share a step. The line is in the kernel when this returns.
        """
        if self._fd < 0:
            return
        try:
            if self._ended:
                raise RuntimeError("the run is finished")
            values: Mapping[str, Any] = {**(data or {}), **metrics} if metrics else data or {}
            now = self.step if step is None else int(step)
            self.step = now + 1 if commit else now
            text = ""
            if _NUMBERS.issuperset(map(type, values.values())):
                try:
                    text = self._encode(values)
                except (TypeError, ValueError):  # NaN, an infinity, or a key that is no text
                    text = ""
            if not text:
                numbers, attributes = _split(values)
                text = self._encode(numbers) + (',"a":' + self._encode(attributes) if attributes else "")
            self._append(f'{{"t":"log","step":{now},"ts":{time.time()!r},"m":{text}}}\n'.encode("ascii"))
        except Exception as error:  # noqa: BLE001 - a lost line must not end a training
            _warn(type(error).__name__, f"log() failed: {type(error).__name__}: {error}")

    def stage(self, name: str, rows: int | None = None) -> Stage:
        """A `with` block that records when one step of the pipeline starts and ends, and on how many rows."""
        return Stage(self, name, rows)

    @_quietly
    def data(self, path: str | os.PathLike[str], role: str = "train", rows: int | None = None) -> str | None:
        """Record a data set by path, size and content hash; returns the hash."""
        return self._file("data", role, os.fspath(path), rows=rows)

    @_quietly
    def artifact(self, path: str | os.PathLike[str], name: str | None = None) -> str | None:
        """Record a file or folder that the run made, by path, size and content hash; returns the hash."""
        place = os.fspath(path)
        return self._file("artifact", name or os.path.basename(place.rstrip("/")) or place, place)

    save = artifact

    def _file(self, kind: str, key: str, path: str, **more: Any) -> str | None:
        try:
            facts = _fingerprint(path)
        except OSError as error:
            _warn(f"{kind} {path}", f"{kind}({path!r}) is recorded by name only: {error}")
            facts = {"path": redact("path", path)}
        self._send(t=kind, key=str(key), **facts, **more)
        return facts.get("sha256")

    @_quietly
    def note(self, text: object) -> None:
        """Append a remark."""
        self._notes += 1
        self._send(t="note", id=f"{self._pid}-{self._notes}", text=redact("", _plain(str(text))))

    @_quietly
    def tag(self, *names: str, **pairs: Any) -> None:
        """Add tags, bare or with a value."""
        self._send(t="tags", tags=_tags(names, pairs))

    @_quietly
    def heartbeat(self, next_in: float) -> None:
        """Promise to be back within `next_in` seconds: until then, silence means nothing."""
        self._send(t="beat", next=float(next_in))

    # the end

    def finish(self, status: str | int | None = None, exit_code: int | None = None) -> None:
        """End the run as "finished", "failed" or "killed", or by exit code; ending twice changes nothing."""
        code = status if isinstance(status, int) else exit_code
        word = status if isinstance(status, str) else "failed" if code else "finished"
        if word not in _STATUSES:
            _warn(word, f"finish(status={word!r}) is not one of {', '.join(_STATUSES)}: taken as finished")
            word = "finished"
        with_code = "" if code is None else f" with exit code {code}"
        self._end(word, f"finish() was called{with_code}", code=code)

    @_quietly
    def _end(self, status: str, reason: str, error: BaseException | None = None, code: int | None = None) -> None:
        if self._fd < 0 or self._ended:
            return
        try:
            if os.getpid() == self._owner:
                more = {} if error is None else {"exc": _describe(error)}
                self._send(t="end", status=status, reason=reason, code=code, **more)
        finally:
            os.close(self._fd)
            self._ended = True
            if self in _runs:
                _runs.remove(self)
            if not _runs:
                _release_sigterm()

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._end("finished", "the with block ended")
        elif isinstance(error, SystemExit):
            code = error.code if isinstance(error.code, int) else int(bool(error.code))
            self._end("failed" if code else "finished", f"exit code {code}", code=code)
        else:
            self._end(*_verdict(error), error=error)


def _describe(error: BaseException) -> dict[str, str]:
    """Type, message and place of an exception."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    at = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else ""
    return {"type": type(error).__name__, "message": redact("", str(error)[:2000]), "at": at}


def _verdict(error: BaseException) -> tuple[str, str]:
    """Status and reason of a run that an exception ended."""
    facts = _describe(error)
    text = ": ".join(part for part in (facts["type"], facts["message"]) if part)
    return "killed" if isinstance(error, KeyboardInterrupt) else "failed", f"{text} at {facts['at']}"


def _tags(names: Iterable[str] | Mapping[str, Any] | str | None, pairs: Mapping[str, Any]) -> dict[str, str]:
    """Tags as name to value; bare ones have an empty value."""
    given = names if hasattr(names, "items") else dict.fromkeys([names] if isinstance(names, str) else names or (), "")
    tags = {**given, **pairs}  # type: ignore[dict-item]
    return {str(key): redact(str(key), str(_plain(value))) for key, value in tags.items()}


# How a process ends ----------------------------------------------------------------------------------------------

_runs: list[Run] = []
"""Open runs, newest last."""
_hooked = False
_uncaught: list[BaseException] = []


def _at_exit() -> None:
    for run in reversed(tuple(_runs)):
        if _uncaught:
            run._end(*_verdict(_uncaught[-1]), error=_uncaught[-1])
        else:
            run._end("finished", "the script ended without an exception; its exit code is unknown")


def _on_sigterm(number: int, frame: object) -> None:
    import signal

    for run in reversed(tuple(_runs)):
        run._end("killed", "signal SIGTERM", code=128 + number)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _hook() -> None:
    """Learn of the end of the process: at exit, by uncaught exceptions, and by SIGTERM if nobody else handles it."""
    global _hooked  # noqa: PLW0603
    import signal

    try:
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _on_sigterm)
    except ValueError:  # not in the main thread
        pass
    if _hooked:
        return
    import atexit

    previous = sys.excepthook

    def on_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not hasattr(sys, "ps1"):  # at a prompt the process goes on
            _uncaught.append(error)
        previous(kind, error, trace)

    sys.excepthook = on_uncaught
    atexit.register(_at_exit)
    _hooked = True


def _release_sigterm() -> None:
    import signal

    try:
        if signal.getsignal(signal.SIGTERM) is _on_sigterm:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
    except ValueError:
        pass


# The module's own functions --------------------------------------------------------------------------------------


def init(
    project: str | None = None,
    name: str | None = None,
    params: Any = None,
    *,
    config: Any = None,
    tags: Iterable[str] | Mapping[str, Any] | None = None,
    total_steps: int | None = None,
    dir: str | os.PathLike[str] | None = None,
    id: str | None = None,
    notes: str | None = None,
    baseline: bool = False,
    mode: str | None = None,
    **other: Any,
) -> Run:
    """Start a run and return it; use it in a `with` block, so that its end and any exception are recorded.

    Args:
        project, name: what the run belongs to, and what lists show; without a name it goes by its folder.
        params: hyperparameters: a mapping, nested or not, an argparse namespace or a dataclass. `config` is the same.
        tags: labels, or a mapping of label to value; `group=` and `job_type=` become such.
        total_steps: how many steps are planned.
        dir: where run folders go, `./runs` by default; the environment variable WORKBENCH_DIR overrides it.
        id: the run's own id, for several processes that are one run; by default random.
        notes: a remark.
        baseline: this is the run that others are compared with. `mode="disabled"` writes nothing.
    """
    run = Run(name, project, id)
    _quietly(dict.update)(run.config, _mapping(config if params is None else params))
    try:
        if mode != "disabled":
            _start(run, dir, _quietly(_tags)(tags, _labels(other)) or {}, total_steps, baseline)
            _hook()
            _runs.append(run)
            if notes:
                run.note(notes)
    except Exception as error:  # noqa: BLE001 - training without a log is better than none
        _warn("init", f"init() failed, nothing is logged: {type(error).__name__}: {error}")
    return run


def _labels(other: dict[str, Any]) -> dict[str, Any]:
    """The arguments that become tags; the rest is named once."""
    if ignored := ", ".join(sorted(other.keys() - {"group", "job_type"})):
        _warn(f"init {ignored}", f"init() does not know {ignored}")
    return {key: other[key] for key in ("group", "job_type") if other.get(key)}


def _start(run: Run, dir: Any, tags: dict[str, str], total_steps: Any, baseline: bool) -> None:
    """Open the run's file and write its first line."""
    now = time.time()
    readable = _pattern(r"[^\w.-]+").sub("-", run.name or "").strip("-.")[:60]
    root = os.environ.get("WORKBENCH_DIR") or os.fspath(dir or "runs")
    stem = _pattern(r"[^\w.-]+").sub("-", run.id).strip("-.") or "run"
    start = readable or time.strftime("%Y%m%d-%H%M%S", time.localtime(now))
    run._open(os.path.abspath(os.path.join(root, f"{start}-{stem}")), stem)
    environment = {
        "argv": _plain(redact_argv(getattr(sys, "orig_argv", sys.argv))),
        "cwd": os.getcwd(),
        "git": _git(os.getcwd()),
        "python": sys.version.split()[0],
        "packages": _packages(),
        "rank": os.environ.get("RANK"),
        "slurm_job": os.environ.get("SLURM_JOB_ID"),
        **_process(),
    }
    run._send(
        v=FORMAT, t="start", run=run.id, name=run.name, project=run.project, ts=now,
        params=_attributes(run.config), tags=tags, baseline=bool(baseline),
        total_steps=None if total_steps is None else _quietly(int)(total_steps), env=environment,
    )  # fmt: skip


def log(data: Mapping[str, Any] | None = None, step: Any = None, commit: bool = True, **metrics: Any) -> None:
    """Log to the newest open run; see `Run.log`."""
    if _runs:
        _runs[-1].log(data, step, commit, **metrics)
    else:
        _warn("log", "log() without a run: call init() first")


def finish(status: str | int | None = None, exit_code: int | None = None) -> None:
    """End the newest open run; see `Run.finish`."""
    if _runs:
        _runs[-1].finish(status, exit_code)


def log_artifact(path: str | os.PathLike[str], name: str | None = None) -> None:
    """Record a file or folder that the newest open run made; see `Run.artifact`."""
    if _runs:
        _runs[-1].artifact(path, name)
    else:
        _warn("log", "log_artifact() without a run: call init() first")


def __getattr__(name: str) -> Any:
    if name == "run":
        return _runs[-1] if _runs else None
    if name in ("config", "summary"):
        return getattr(_runs[-1], name) if _runs else Recorded(lambda data: None)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")


def copy_to(directory: str | os.PathLike[str], name: str = "workbench_tracking.py") -> str:
    """Copy this file into another project and return where it went; an earlier copy is replaced.

    Raises:
        FileExistsError: a file of that name is there and is not a copy of this one.
        OSError: the directory cannot be written.
    """
    with open(__file__, "rb") as file:
        source = file.read()
    target = os.path.join(os.fspath(directory), name)
    os.makedirs(directory, exist_ok=True)
    if os.path.exists(target):
        with open(target, "rb") as file:
            if file.readline() != source.splitlines(keepends=True)[0]:
                raise FileExistsError(f"{target} is another file: move it, or choose another name")
    with open(target, "wb") as file:
        file.write(source)
    return target
