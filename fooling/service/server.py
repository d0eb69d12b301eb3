"""Listening: a socket, uvicorn, and an end that waits for nobody for long."""

from __future__ import annotations

import asyncio
import logging
import resource
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from fooling.errors import FoolingError
from fooling.service.context import Context

HEADER_SECONDS = 10.0  # in which the head of a request has to arrive
MOST_CONNECTIONS = 2048  # open at once, where the system allows so many files
_OTHER_FILES = 200  # that the server may need besides
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
)
_GRACE = 3  # seconds that responses under way have at the end
_LARGEST_HEAD = 2**15  # bytes


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Args:
        port: 0 for any that is free.

    Raises:
        FoolingError: the address is not one of this machine, or is taken.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind, protocol)
    except OSError as error:
        raise FoolingError(f"can't listen on {host}: {error.strerror or error}") from None
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(1024)
    except OSError as error:
        found.close()
        raise FoolingError(
            f"can't listen on {host}:{port}: {error.strerror or error}; give another --port"
        ) from None
    return found


class Server(uvicorn.Server):
    """Serves until SIGTERM, SIGINT or SIGHUP."""

    def __init__(self, app: FastAPI, ready: Callable[[], None]) -> None:
        """`ready` is called when requests are answered."""
        super().__init__(
            uvicorn.Config(
                app,
                http=Connection,
                ws="none",
                loop="asyncio",
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=_GRACE,
                h11_max_incomplete_event_size=_LARGEST_HEAD,
            )
        )
        self._ready = ready
        self._context: Context = app.state.context

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._context.close()  # streams end by themselves, and so does who waits for a classifier
        await super().shutdown(sockets=sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """A signal is the usual end of a server: it is not raised once more afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class Connection(H11Protocol):
    """A connection whose requests have to arrive in time: a client that sends a header a minute takes no place for long."""

    _head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > connections():  # those that are there go on
            transport.write(_BUSY)
            transport.close()
            return
        self._head = self.loop.call_later(HEADER_SECONDS, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:  # a request has begun to be answered
            self._forget()
        elif self._head is None and (self.cycle is None or self.cycle.response_complete):
            self._head = self.loop.call_later(HEADER_SECONDS, self._give_up)

    def _forget(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _give_up(self) -> None:
        self._head = None
        if not self.transport.is_closing():
            self.transport.close()


def connections() -> int:
    """How many connections may be open at once: fewer than the system allows files, or nothing could be read any more."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS if files < 0 else max(16, min(MOST_CONNECTIONS, files - _OTHER_FILES))


def log_to_stderr(tell: Callable[[object], None]) -> None:
    """Every line of the logs goes through `tell`, which makes it plain."""

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            tell(self.format(record))

    handler = Lines()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    for name in ("fooling.service", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO if name.startswith("fooling") else logging.WARNING)


def preload() -> None:
    """Import in a thread what reads runs and draws elites, which takes seconds, so that the first request for one need
    not wait."""
    threading.Thread(target=_draw_once, name="preload", daemon=True).start()


def _draw_once() -> None:
    """Draw a CPPN, as a request for an elite of another size does."""
    import numpy as np

    import fooling.store.elites
    import fooling.store.reading
    import fooling.store.summary
    from cppn.keys import Keys
    from fooling import encodings
    from fooling.encodings.settings import CppnSettings

    encoding = encodings.create(CppnSettings(), 8, "grey")
    drawn = encoding.from_arrays(encoding.initialise(Keys(0, 0, np.zeros(1, np.uint32), 0)).arrays())
    fooling.store.elites.encode(encoding.render(drawn, 16)[0])


def serve(app: FastAPI, listening: socket.socket, ready: Callable[[], None]) -> None:
    """Answer until a signal ends it.

    Raises:
        FoolingError: it could not start.
    """
    server: Any = Server(app, ready)
    try:
        server.run(sockets=[listening])
    finally:
        listening.close()
    if not server.started:
        raise FoolingError("the server did not start")


__all__ = ["Server", "listen", "log_to_stderr", "preload", "serve"]
