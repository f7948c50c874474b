"""A panel in a process of its own: it may crash, hang or end that process, and is boxed like any other."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import asdict

from workbench.core.blocks import Block
from workbench.core.query import Fit, Focus, Query
from workbench.plugin.api import Action, Panel
from workbench.plugin.box import PluginError, PluginTimeoutError
from workbench.plugin.listing import Found
from workbench.plugin.trust import digest_of
from workbench.plugin.wire import ANSWERS, answer_to_wire, block_of_wire, receive, send

START = 20.0
"""Seconds that the process may take to import the plugin."""
VIEW = 2.0
"""Seconds that a view may take: it is asked for at every new size."""
_FITS = 4
"""Sizes that are viewed as soon as there is new data."""


class IsolatedPanel(Panel):
    """Stands for a panel whose code runs elsewhere; what it shows comes back as blocks."""

    def __init__(self, spec: Mapping[str, Any], said: Mapping[str, Any]) -> None:
        """`spec` tells the process what to load, `said` is what the panel says of itself."""
        self._spec = dict(spec)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._number = 0
        self._fits: list[Fit] = [Fit()]
        self._blocks: dict[Fit, Block] = {}
        self._table: Mapping[str, Any] = {}
        self._limit = float(said["deadline"])
        own = {key: said[key] for key in ("name", "title", "key", "in_report", "every", "follows_metric")}
        actions = tuple(each if isinstance(each, Action) else Action(**each) for each in said["actions"])
        vars(self).update(own, actions=actions, deadline=self._limit + VIEW + 1, isolate=True, options=said["options"])

    @classmethod
    def of_panel(cls, panel: Panel, found: Found, root: Path | None) -> IsolatedPanel:
        """For a panel that asks for it; it was imported here, but neither loads nor views here."""
        names = ("name", "title", "key", "in_report", "every", "follows_metric", "deadline", "actions", "options")
        target = found.listed.target if found.point is not None else ""
        spec: dict[str, Any] = {"target": target, "panel": panel.name}
        if not target:
            spec |= {"file": str((root or Path()) / found.listed.target), "digest": digest_of(found.code)}
        return cls(spec, {name: getattr(panel, name) for name in names})

    @classmethod
    def of_target(cls, target: str) -> IsolatedPanel:
        """For a panel that the user wants apart; nothing of it is imported here.

        Raises:
            PluginError: it cannot be loaded.
        """
        said = {"name": "", "title": "", "key": "", "in_report": True, "every": None, "actions": (), "options": None}
        said["follows_metric"] = False
        made = cls({"target": target, "panel": ""}, {**said, "deadline": Panel.deadline})
        said = made._ask({"do": "describe"}, None, START)
        made._limit = float(said.pop("deadline"))
        made._spec["panel"] = said["name"]
        actions = tuple(Action(**each) for each in said.pop("actions"))
        vars(made).update(said, actions=actions, deadline=made._limit + VIEW + 1)
        return made

    def configure(self, table: Mapping[str, Any], place: str) -> None:
        """Have the panel use these options.

        Raises:
            ConfigError: it has no such option, or not with such a value.
        """
        from workbench.core.config import ConfigError

        self._table = dict(table)
        answer = self._ask({"do": "options", "table": self._table, "place": place}, None, START)
        if answer.get("wrong"):
            self._table = {}
            raise ConfigError(str(answer["wrong"]))

    def load(self, query: Query, focus: Focus) -> Any:
        """Have it load, and view at the sizes that were asked for last; gives the load's number."""
        fits = list(self._fits)
        answer = self._ask(
            {"do": "load", "focus": asdict(focus), "fits": [asdict(fit) for fit in fits]}, query, self._limit
        )
        self._number += 1
        self._blocks = {fit: block_of_wire(block) for fit, block in zip(fits, answer["blocks"], strict=True)}
        self._shape = answer["json"]
        return self._number

    def view(self, data: Any, fit: Fit) -> Block:
        """The blocks that came with the data, or for a new size those that it gives now."""
        found = self._blocks.get(fit)
        if found is None:
            answer = self._ask({"do": "view", "fit": asdict(fit)}, None, VIEW)
            found = self._blocks[fit] = block_of_wire(answer["block"])
        self._fits = [fit, *(each for each in self._fits if each != fit)][:_FITS]
        return found

    def to_json(self, data: Any) -> Any:
        """What came with the data."""
        return self._shape

    def act(self, action: str, query: Query, focus: Focus) -> str:
        """Have it act."""
        answer = self._ask({"do": "act", "action": action, "focus": asdict(focus)}, query, self._limit)
        return str(answer["said"])

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    # The process

    def _ask(self, request: Mapping[str, Any], query: Query | None, seconds: float) -> Any:
        """One request, with an answer to each question that the plugin asks on the way."""
        with self._lock:
            until = time.monotonic() + seconds
            try:
                if self._socket is None:
                    until = time.monotonic() + START + seconds
                    self._start()
                    if self._table and request["do"] != "options":
                        self._exchange({"do": "options", "table": self._table, "place": ""}, None, until)
                return self._exchange(request, query, until)
            except TimeoutError as error:
                self._end(kill=True)
                raise PluginTimeoutError(f"no answer within {seconds:g} s; its process was ended") from error
            except (EOFError, ConnectionError) as error:
                raise PluginError(f"its process {self._end()}") from error

    def _exchange(self, request: Mapping[str, Any], query: Query | None, until: float) -> Any:
        assert self._socket is not None
        send(self._socket, request, until)
        while True:
            message = receive(self._socket, until)
            if "query" not in message:
                break
            send(self._socket, _answer(query, message), until)
        if "raised" in message:
            raise RemoteError(message["raised"], message["place"], message["traceback"])
        return message

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        spec = json.dumps({**self._spec, "path": sys.path})
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "workbench.plugin.worker", str(theirs.fileno())],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=(theirs.fileno(),),
                start_new_session=True,  # no terminal to write on, and its children end with it
            )  # fmt: skip
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError), self._process.stdin as pipe:
            pipe.write(spec.encode())
        self._socket = ours

    def _end(self, *, kill: bool = False) -> str:
        """How the process ended, in words."""
        process, connection = self._process, self._socket
        self._process = self._socket = None
        if connection is not None:
            connection.close()
        if process is None:
            return "did not start"
        if kill:
            _kill(process)
        try:
            code = process.wait(5)
        except subprocess.TimeoutExpired:
            _kill(process)
            code = process.wait()
        if code >= 0:
            return f"ended with exit code {code}"
        return f"was ended by {signal.Signals(-code).name}"


class RemoteError(PluginError):
    """What a plugin raised in its own process: in its words, with the place and the traceback there."""

    def __init__(self, words: str, place: str, traceback: str) -> None:
        super().__init__(words)
        self.place = place
        self.add_note(traceback)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _answer(query: Query | None, message: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the query says, or what it raises, which is raised there again."""
    method = str(message["query"])
    try:
        if method not in ANSWERS:
            raise PluginError(f"a query cannot be asked for {method}")
        if query is None:
            raise PluginError("a view asks nothing: ask in load()")
        arguments: Sequence[Any] = message["arguments"]
        found = getattr(query, method)(*arguments, **message["named"])
        return {"answer": answer_to_wire(method, found)}
    except Exception as error:  # noqa: BLE001 - raised where it was asked
        return {"error": f"{type(error).__name__}: {error}"}
