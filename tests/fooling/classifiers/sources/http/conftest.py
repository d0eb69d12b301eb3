"""Servers, and clients of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from fooling.classifiers.sources.http.client import Client
from fooling.classifiers.sources.http.ledger import Ledger
from tests.fooling.classifiers.sources.http.serving import QuietServer, Server, document, handler_of


@pytest.fixture
def servers() -> Iterator[Callable[[], Server]]:
    """`servers()`: another server."""
    running: list[ThreadingHTTPServer] = []

    def start() -> Server:
        server = Server()
        listening = QuietServer(("127.0.0.1", 0), handler_of(server))
        running.append(listening)
        threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True).start()
        server.url = f"http://127.0.0.1:{listening.server_port}/label"
        return server

    yield start
    for listening in running:
        listening.shutdown()
        listening.server_close()


@pytest.fixture
def server(servers: Callable[[], Server]) -> Server:
    return servers()


Connect = Callable[..., tuple[Client, Ledger]]


@pytest.fixture
def connect(tmp_path: Path, server: Server) -> Iterator[Connect]:
    """`connect(ledger="a", pace={...}, ...)`: a client of the server, and its ledger."""
    ledgers: list[Ledger] = []

    def make(ledger: str = "test.answers", **tables: Any) -> tuple[Client, Ledger]:
        ledgers.append(Ledger(tmp_path / ledger))
        return Client("http:test.toml", document(server.url, **tables), ledgers[-1]), ledgers[-1]

    yield make
    for ledger in ledgers:
        ledger.close()
