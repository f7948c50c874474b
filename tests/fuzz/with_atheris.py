"""The binary readers under atheris: `python -m tests.fuzz.with_atheris [FORMAT] [libFuzzer options]`.

FORMAT is `tensorboard` (the default) or `wandb`. Inputs start from the fixtures and are kept in `.fuzz/FORMAT`. Atheris
has wheels for a few platforms only; where it is missing nothing is run, and that is said.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path, PurePath

READERS = {
    "tensorboard": ("workbench.readers.tensorboard.reader", "TensorBoardReader", "events.out.tfevents.1.host"),
    "wandb": ("workbench.readers.wandb.reader", "WandbReader", "run-x.wandb"),
}


def main() -> int:
    """Fuzz until stopped, or for as long as the options say; 0 where atheris is not installed."""
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed: nothing was fuzzed.\n  next: .venv/bin/python -m pip install atheris")
        return 0
    import atheris

    arguments = sys.argv[1:]
    form = arguments.pop(0) if arguments and arguments[0] in READERS else "tensorboard"
    module, name, file = READERS[form]
    with atheris.instrument_imports(include=["workbench.readers"]):
        reader = getattr(__import__(module, fromlist=[name]), name)()
    from tests.fuzz.driving import claims, read
    from tests.fuzz.mutations import payloads, rebuilt

    corpus = Path(".fuzz") / form
    corpus.mkdir(parents=True, exist_ok=True)
    _fill(corpus, form)

    def one(data: bytes) -> None:
        """As it is, then with the checksums of its records made good, which few changed bytes would survive."""
        path = PurePath(file)
        claims(path, data)
        read(reader, path, data, [len(data) // 2], many_runs=False)
        read(reader, path, rebuilt(form, payloads(form, data)), [], many_runs=False)

    atheris.Setup([sys.argv[0], *arguments, str(corpus)], one)
    atheris.Fuzz()
    return 0


def _fill(corpus: Path, form: str) -> None:
    from tests.fuzz.driving import seeds

    for number, seed in enumerate(seed for seed in seeds() if seed.reader.name == form):
        (corpus / f"seed-{number}").write_bytes(seed.data)


if __name__ == "__main__":
    sys.exit(main())
