"""textual-serve behind a key: who has the link gets a cookie, everybody else a page that says so."""

from __future__ import annotations

import secrets
import socket
import webbrowser
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from rich.console import Console
from textual_serve.server import Server

_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'"
    "; font-src 'self' data:; img-src 'self' data: blob:; connect-src 'self' {socket}; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
"""Nothing is fetched from elsewhere, which the page of textual-serve does for a font, and no other page frames it."""
_REFUSED = "This page needs the link that `workbench serve` printed: it holds the key.\n"


def run(
    command: str,
    listener: socket.socket,
    title: str,
    url: str,
    tell: Callable[[str], None],
    *,
    open_page: bool = False,
) -> None:
    """Serve until Ctrl-C or SIGTERM; the link with its key goes to `tell`."""
    host, port = listener.getsockname()[:2]
    address = url.rstrip("/") or f"http://{f'[{host}]' if ':' in host else host}:{port}"
    key = secrets.token_urlsafe(24)
    link = f"{address}/?key={key}"

    async def started(_: web.Application) -> None:
        tell(f"{link}\nCtrl-C ends it.")
        if open_page:
            webbrowser.open(link)

    server = Server(command, host=host, port=port, title=title, public_url=address)
    server.initialize_logging()
    server.console = Console(quiet=True)  # it would print its logo, and an address without the key

    async def application() -> web.Application:
        made = await guarded(server, key, address, port)
        made.on_startup.append(started)
        return made

    web.run_app(application(), sock=listener, print=None, access_log=None)


async def guarded(server: Any, key: str, address: str, port: int) -> web.Application:
    """textual-serve's application, every route of it behind the key."""
    cookie = f"workbench-{port}"
    socket_address = "ws" + address.removeprefix("http")
    headers = {name: value.format(socket=socket_address) for name, value in _HEADERS.items()}

    @web.middleware  # type: ignore[untyped-decorator, unused-ignore]
    async def guard(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if _same(request.cookies.get(cookie, ""), key):
            response = await handler(request)
        elif request.path == "/" and _same(request.query.get("key", ""), key):
            response = web.Response(status=302, headers={"Location": "/"})
            response.set_cookie(cookie, key, httponly=True, samesite="Strict")
        else:
            response = web.Response(status=403, text=_REFUSED)
        if not response.prepared:
            response.headers.update(headers)
        return response

    application: web.Application = await server._make_app()
    application.middlewares.append(guard)
    return application


def _same(given: str, key: str) -> bool:
    return secrets.compare_digest(given.encode(), key.encode())
