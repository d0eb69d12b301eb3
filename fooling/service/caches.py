"""What was made is kept for the next request, within a bound on memory; what is being made is not made twice."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class Cache(Generic[V]):
    """Values by key; the ones that were not asked for the longest go first. May be used from any thread."""

    def __init__(self, most_bytes: int, size: Callable[[V], int]) -> None:
        """
        Args:
            most_bytes: of all values together. The newest one is kept even where it alone is larger.
            size: the bytes of a value.
        """
        self._most, self._size = most_bytes, size
        self._values: OrderedDict[Hashable, V] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()
        self._bytes = 0
        self.hits = self.misses = 0

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """The value of a key, made where it is not there. Whoever asks meanwhile waits for it."""
        if (found := self.peek(key)) is not None:
            return found
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        try:
            with making:
                if (found := self.peek(key)) is not None:
                    return found
                value = make()
                self._put(key, value)
                return value
        finally:
            with self._lock:
                self._making.pop(key, None)

    def peek(self, key: Hashable) -> V | None:
        """The value of a key, or None."""
        with self._lock:
            if key not in self._values:
                self.misses += 1
                return None
            self.hits += 1
            self._values.move_to_end(key)
            return self._values[key]

    def _put(self, key: Hashable, value: V) -> None:
        with self._lock:
            self._values[key] = value
            self._bytes += self._size(value)
            while self._bytes > self._most and len(self._values) > 1:
                _, gone = self._values.popitem(last=False)
                self._bytes -= self._size(gone)
