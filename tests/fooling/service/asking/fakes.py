"""Classifiers' processes that are threads of this one: no import is waited for."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fooling.service.asking.keeper import Start
from fooling.service.asking.messages import Message
from fooling.service.asking.process import serve


@dataclass
class Thread:
    """One of them."""

    connection: socket.socket

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


class Threads:
    """Starts them.

    Attributes:
        begun: the SPECs that were started, in order.
    """

    def __init__(self, begin: Callable[[str], Any]) -> None:
        """`begin` opens a classifier, as `fooling.service.asking.process.Warm` is one."""
        self._begin = begin
        self.begun: list[str] = []

    def __call__(self, spec: str) -> Start:
        def start(number: int) -> Thread:
            self.begun.append(spec)
            connection = socket.socket(fileno=os.dup(number))
            threading.Thread(target=self._serve, args=(connection, spec), daemon=True).start()
            return Thread(connection)

        return start

    def _serve(self, connection: socket.socket, spec: str) -> None:
        with connection:
            serve(connection, lambda: self._begin(spec))


class Bright:
    """Tells dark images from bright ones."""

    about: ClassVar = {"labels": ["dark", "bright"], "wordnet": None, "fingerprint": "0" * 64}

    def answer(self, question: Message) -> Message:
        pixels = question.array(np.uint8)
        mean = pixels.reshape(len(pixels), -1).mean(1) / 255
        return Message.of(np.stack([1 - mean, mean], 1).astype(np.float32))
