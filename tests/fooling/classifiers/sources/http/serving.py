"""A real server on this machine, with every trouble that a server can be, and specs that name it."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fooling.classifiers.sources.http.spec import Document
from fooling.classifiers.spec import parse

LABELS = ("cat", "dog", "ship", "tree")
SIZE = 8
SPEC = f"""
name = "vision"
size = {SIZE}
colour = "grey"
labels = ["cat", "dog", "ship", "tree"]
"""


def scores_of(pixels: NDArray[np.uint8]) -> dict[str, float]:
    """What the server says of an image, (H, W) uint8: how bright each quarter of its columns is."""
    quarters = np.split(pixels.astype(np.float64) / 255, 4, axis=1)
    return {label: float(quarter.mean()) for label, quarter in zip(LABELS, quarters, strict=True)}


def top(pixels: NDArray[np.uint8], k: int = 3) -> list[dict[str, Any]]:
    """The k likeliest, likeliest first."""
    ranked = sorted(scores_of(pixels).items(), key=lambda item: -item[1])
    return [{"label": label, "score": score} for label, score in ranked[:k]]


@dataclass
class Asked:
    """A request as the server got it."""

    at: float
    path: str
    headers: dict[str, str]
    body: bytes
    reply: Any = None

    @property
    def image(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


@dataclass
class Server:
    """A server that answers top-k lists; `script` says what it does instead, request by request, and
    `always` what it does when the script is over.

    A reply is "ok", a status, ("429", seconds), ("307", target), "garbage", "list", "slow", "drip", "huge",
    "closed", "stall" (until `waits` is set) or ("json", anything).
    """

    url: str = ""
    script: list[Any] = field(default_factory=list)
    always: Any = "ok"
    pause: float = 0.002  # before an answer, in seconds
    asked: list[Asked] = field(default_factory=list)
    most: int = 0
    waits: threading.Event = field(default_factory=threading.Event)
    _under_way: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, asked: Asked) -> Any:
        with self._lock:
            self.asked.append(asked)
            self._under_way += 1
            self.most = max(self.most, self._under_way)
            asked.reply = self.script.pop(0) if self.script else self.always
            return asked.reply

    def end(self) -> None:
        with self._lock:
            self._under_way -= 1

    @property
    def answered(self) -> list[str]:
        """The images that were answered: those that are paid."""
        return [asked.image for asked in self.asked if asked.reply == "ok"]


def handler_of(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 20
        disable_nagle_algorithm = True  # header and body are two packets: the second would wait 40 ms

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            asked = Asked(time.monotonic(), self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            reply = server.begin(asked)
            try:
                self.answer(reply, body)
            except OSError:
                self.close_connection = True  # who asked has gone
            finally:
                server.end()

        def answer(self, reply: Any, body: bytes) -> None:
            kind, argument = reply if isinstance(reply, tuple) else (reply, None)
            if kind == "ok":
                time.sleep(server.pause)
                with Image.open(io.BytesIO(body)) as image:
                    self.send(200, {"predictions": top(np.asarray(image))})
            elif kind == "json":
                self.send(200, argument)
            elif kind == "garbage":
                self.send_bytes(200, b"<html>Service temporarily unavailable</html>")
            elif kind == "list":
                self.send(200, [1, 2, 3])
            elif kind == "slow":
                time.sleep(2)
                self.send(200, {"predictions": []})
            elif kind == "stall":
                server.waits.wait(60)
            elif kind == "drip":
                self.begin_endless(10**6)
                for _ in range(60):
                    self.wfile.write(b" ")
                    time.sleep(0.05)
                self.close_connection = True
            elif kind == "huge":
                self.begin_endless(10**9)
                for _ in range(200):
                    self.wfile.write(b" " * 100_000)
                self.close_connection = True
            elif kind == "closed":
                self.close_connection = True
                self.connection.close()
            elif kind in ("301", "302", "303", "307", "308"):
                self.send(int(kind), {}, Location=argument)
            elif kind == "echo":
                self.send(403, {"error": f"no such key: {self.headers['Authorization']}"})
            else:
                extra = {} if argument is None else {"Retry-After": str(argument)}
                self.send(int(kind), {"error": "not now"}, **extra)

        def begin_endless(self, length: int) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(length))
            self.end_headers()

        def send(self, status: int, document: Any, **headers: str) -> None:
            self.send_bytes(status, json.dumps(document).encode(), **headers)

        def send_bytes(self, status: int, data: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: Any) -> None:  # a connection that was closed under it
        pass


def document(url: str, **tables: Any) -> Document:
    """A document for a server; keyword arguments are tables (their keys win) and keys."""
    data: dict[str, Any] = {
        "request": {"url": url},
        "response": {"items": "predictions"},
        "pace": {"concurrency": 4, "backoff": 0.01, "timeout": 10.0, "retries": 4, "longest": 5.0},
        "budget": {"queries": 1000},
    }
    for name, value in tables.items():
        data[name] = {**data[name], **value} if name in data else value
    return parse(Document, data, "test")


def images(count: int, seed: int = 0) -> NDArray[np.uint8]:
    """(count, SIZE, SIZE, 1) uint8, all different."""
    return np.random.default_rng(seed).integers(0, 256, (count, SIZE, SIZE, 1), dtype=np.uint8)


def said(pixels: NDArray[np.uint8], k: int = 3) -> list[list[tuple[str, float]]]:
    """What a client should make of the server's answers."""
    return [[(item["label"], item["score"]) for item in top(image[..., 0], k)] for image in pixels]


def toml(value: Any) -> str:
    """A value as TOML has it, tables inline."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(part)}" for key, part in value.items()) + "}"
    return "[" + ", ".join(map(toml, value)) + "]" if isinstance(value, list) else json.dumps(value)


def write_spec(path: Path, url: str, **tables: Any) -> str:
    """A spec file for a server; returns the model SPEC."""
    filled = document(url, **tables).model_dump(exclude_defaults=True, mode="json")
    path.write_text(SPEC + "".join(f"{key} = {toml(value)}\n" for key, value in filled.items()))
    return f"http:{path}"
