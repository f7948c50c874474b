"""`serve`: the terminal interface in a browser, for the person who started it and nobody else."""

from __future__ import annotations

import shlex
import socket
import sys
from pathlib import Path

import click

from workbench.cli.project import fail, root_argument, teaches, tell

_INSTALL = "pip install textual-serve"
_REMOTE = """\
{host} can be reached from other machines. Who has the link sees the logs of this project, and with --write writes to
it, over a connection that is not encrypted.
  next: leave --host out and tunnel: ssh -L {port}:127.0.0.1:{port} THIS-MACHINE
  or add --allow-remote, if the network is yours"""


@click.command()
@root_argument
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--allow-remote", is_flag=True, help="Listen on an address that other machines reach.")
@click.option("--url", default="", metavar="URL", help="What the browser calls it, behind a tunnel or a proxy.")
@click.option("--write", is_flag=True, help="Let tags, notes and baselines be written, and logs be read.")
@click.option("--open", "open_page", is_flag=True, help="Open it in the browser.")
@teaches
def serve(root: Path, port: int, host: str, allow_remote: bool, url: str, write: bool, open_page: bool) -> None:
    """The terminal interface of ROOT in a browser: read-only unless told otherwise, on this machine alone.

    The link that is printed holds a key: without it, nothing is shown, to other users of this machine neither. Every
    tab is a process of its own, which ends with the tab.
    """
    from workbench.core.config import load_config

    root = root.resolve()
    load_config(root)
    if not allow_remote and not is_loopback(host):
        raise fail(_REMOTE.format(host=host, port=port or 8000), 2)
    try:
        from workbench.cli.web import run
    except ImportError as error:
        raise fail(f"serving needs textual-serve, which is not installed ({error}).\n  next: {_INSTALL}", 2) from error
    with _listening(host, port) as listener:
        if not write:
            _say_who_reads(root)
        run(interface_command(root, write=write), listener, root.name, url, tell, open_page=open_page)


def interface_command(root: Path, *, write: bool) -> str:
    """The shell command of the interface that a tab shows."""
    words = [sys.executable, "-m", "workbench.cli.main", "tui", str(root)]
    return f"exec {shlex.join(words if write else [*words, '--read-only'])}"


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone; a name that is not `localhost` may be anything."""
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        ClickException: the port is taken, or there is no such address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        why = error.strerror or str(error)
        raise fail(f"{host}:{port}: {why}\n  next: --port 0 takes a free one", 2) from error


def _say_who_reads(root: Path) -> None:
    """Without a writer, and nobody who reads logs, what is shown stands still."""
    from workbench.ingest.election import Election
    from workbench.store.place import place_of

    place = place_of(root)
    if not place.database.exists():
        raise fail("no log was read here yet, and read-only reads none.\n  next: workbench watch --once", 3)
    if Election(place).holder() is None:
        tell(f"nobody reads logs now; to have the page follow them: workbench watch {shlex.quote(str(root))}")
