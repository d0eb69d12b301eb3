"""What the server and the process of a classifier say to each other: a line of JSON and an array, over a socket.

Nothing is pickled. A message is two lengths (4 bytes each, big-endian), JSON, and the bytes of an array, whose shape the
JSON gives under "shape". Whatever a message says, no more than `MOST` bytes of it are read.
"""

from __future__ import annotations

import json
import math
import socket
import struct
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST = 2**26  # bytes of each of the two parts of a message
_HEAD = struct.Struct(">II")


class LostError(Exception):
    """The other side is gone, does not answer in time, or says what is no message."""


@dataclass(frozen=True)
class Message:
    """A message.

    Attributes:
        about: JSON-like.
        data: the bytes of an array; empty where there is none.
    """

    about: dict[str, Any]
    data: bytes = b""

    @classmethod
    def of(cls, array: NDArray[Any], **about: Any) -> Message:
        """A message with an array."""
        return cls({**about, "shape": list(array.shape)}, np.ascontiguousarray(array).tobytes())

    def array(self, dtype: type[np.generic]) -> NDArray[Any]:
        """The array of the message.

        Raises:
            LostError: its shape and its bytes do not belong together.
        """
        shape = self.about.get("shape")
        if not isinstance(shape, list) or not all(type(side) is int and side >= 0 for side in shape):
            raise LostError(f"expected a shape, found {shape!r}"[:200])
        if math.prod(shape) * np.dtype(dtype).itemsize != len(self.data):
            raise LostError(f"expected an array of shape {shape}, found {len(self.data):,} bytes")
        return np.frombuffer(self.data, dtype).reshape(shape)


def send(connection: socket.socket, message: Message) -> None:
    """Send a message.

    Raises:
        LostError: the other side is gone, or does not take it in time (the timeout of the socket).
    """
    text = json.dumps(message.about).encode()
    try:
        connection.sendall(_HEAD.pack(len(text), len(message.data)) + text + message.data)
    except OSError as error:
        raise LostError(str(error)) from None


def receive(connection: socket.socket, seconds: float | None = None) -> Message:
    """Wait for a message.

    Args:
        seconds: in which the whole of it has to be here; None: however long it takes.

    Raises:
        LostError: see there.
    """
    end = None if seconds is None else time.monotonic() + seconds
    lengths = _HEAD.unpack(_read(connection, _HEAD.size, end))
    if max(lengths) > MOST:
        raise LostError(f"expected a message of at most {MOST:,} bytes, found one of {max(lengths):,}")
    text, data = (_read(connection, length, end) for length in lengths)
    try:
        about = json.loads(text)
    except ValueError:
        raise LostError("expected JSON, found something else") from None
    if not isinstance(about, dict):
        raise LostError("expected a JSON object, found something else")
    return Message(about, data)


def _read(connection: socket.socket, length: int, end: float | None) -> bytes:
    parts: list[bytes] = []
    while length:
        try:
            if end is not None:
                connection.settimeout(max(end - time.monotonic(), 1e-3))
            part = connection.recv(min(length, 2**20))
        except TimeoutError:
            raise LostError("it does not answer") from None
        except OSError as error:
            raise LostError(str(error)) from None
        if not part:
            raise LostError("it has ended")
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
