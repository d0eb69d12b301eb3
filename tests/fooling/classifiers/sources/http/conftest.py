"""Servers, and clients of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from fooling.classifiers.sources.http.book import Book
from fooling.classifiers.sources.http.client import Client
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


Connect = Callable[..., tuple[Client, Book]]


@pytest.fixture
def connect(tmp_path: Path, server: Server) -> Iterator[Connect]:
    """`connect(book="a", pace={...}, ...)`: a client of the server, and its book."""
    books: list[Book] = []

    def make(book: str = "test.answers", **tables: Any) -> tuple[Client, Book]:
        books.append(Book(tmp_path / book))
        return Client("http:test.toml", document(server.url, **tables), books[-1]), books[-1]

    yield make
    for book in books:
        book.close()
