"""The process that an isolated panel lives in: it loads and views there, and asks its questions over a socket."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import asdict

from workbench.core.config import ConfigError
from workbench.core.query import Fit, Focus
from workbench.plugin.api import Panel
from workbench.plugin.box import PluginError, caught_output, reason_of
from workbench.plugin.checks import check_block
from workbench.plugin.listing import FILES, Found, Listed
from workbench.plugin.loading import made_by
from workbench.plugin.options import with_options
from workbench.plugin.trust import digest_of
from workbench.plugin.wire import answer_of_wire, block_to_wire, receive, send

_LOOK_AGAIN = 2.0
_TRANSPARENT = ("name", "title", "key", "in_report", "every", "follows_metric", "deadline")


class RemoteQuery:
    """A `Query` whose every question is answered by the workbench's own process."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def __getattr__(self, method: str) -> Any:
        if method.startswith("_"):
            raise AttributeError(method)

        def ask(*arguments: Any, **named: Any) -> Any:
            with self._lock:
                send(self._connection, {"query": method, "arguments": arguments, "named": named})
                answer = receive(self._connection)
            if "error" in answer:
                raise RuntimeError(answer["error"])
            return answer_of_wire(method, answer["answer"])

        return ask


class Host:
    """One panel, and what it loaded last."""

    def __init__(self, connection: socket.socket, panel: Panel) -> None:
        self._query: Any = RemoteQuery(connection)
        self._panel = panel
        self._data: Any = None

    def describe(self, _: Mapping[str, Any]) -> Any:
        """What the panel says of itself."""
        said = {name: getattr(self._panel, name) for name in _TRANSPARENT}
        return {**said, "actions": [asdict(each) for each in self._panel.actions]}

    def options(self, request: Mapping[str, Any]) -> Any:
        """Use options other than the defaults."""
        try:
            self._panel.options = with_options(self._panel.options, request["table"], request["place"])
        except ConfigError as error:
            return {"wrong": str(error)}
        return {}

    def load(self, request: Mapping[str, Any]) -> Any:
        """Load, and view at some sizes."""
        self._data = self._panel.load(self._query, msgspec.convert(request["focus"], Focus))
        blocks = [self._viewed(fit) for fit in request["fits"]]
        return {"blocks": blocks, "json": self._panel.to_json(self._data)}

    def view(self, request: Mapping[str, Any]) -> Any:
        """View at one size."""
        return {"block": self._viewed(request["fit"])}

    def act(self, request: Mapping[str, Any]) -> Any:
        """Act."""
        focus = msgspec.convert(request["focus"], Focus)
        return {"said": self._panel.act(request["action"], self._query, focus) or ""}

    def _viewed(self, fit: Mapping[str, Any]) -> Any:
        block = self._panel.view(self._data, msgspec.convert(fit, Fit))
        check_block(block)
        return block_to_wire(block)


def panel_of(spec: Mapping[str, Any]) -> Panel:
    """The one panel that the process is for.

    Raises:
        PluginError: it is not there any more; and whatever its own code raises.
    """
    if spec["target"]:
        point = EntryPoint("", spec["target"], "workbench.panels")
        found = Found(Listed(point.group, "", "", "", point.value), point)
    else:
        path = Path(spec["file"])
        code = path.read_bytes()
        if digest_of(code) != spec["digest"]:
            raise PluginError(f"{path.name} was changed; leave the workbench, and trust it again")
        found = Found(Listed(FILES, path.stem, "", "", str(path), "trusted"), None, code)
    for made in made_by(found, None):
        if isinstance(made, Panel) and spec["panel"] in ("", made.name):
            return made
    raise PluginError(f"has no panel {spec['panel']!r} any more")


def main() -> None:
    """Answer requests until nobody asks any more."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    spec = json.loads(sys.stdin.buffer.read())
    sys.path[:] = spec["path"]
    threading.Thread(target=_mind_parent, args=(os.getppid(),), daemon=True).start()
    host: Host | None = None
    while True:
        try:
            request = receive(connection)
        except (EOFError, OSError):
            os._exit(0)  # threads of the plugin are not waited for
        answer: Any
        try:
            with caught_output(f"panel {spec['panel'] or spec['target']}"):
                host = host or Host(connection, panel_of(spec))
                answer = getattr(host, request["do"])(request)
            send(connection, answer)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything; it is told
            words, place = reason_of(error)
            send(connection, {"raised": words, "place": place, "traceback": traceback.format_exc()})


def _mind_parent(parent: int) -> None:
    """End with the workbench, even while the plugin is busy."""
    while os.getppid() == parent:
        time.sleep(_LOOK_AGAIN)
    os._exit(0)


if __name__ == "__main__":
    main()
