"""What a run will need of this machine's memory, said before it is asked for: an estimate from below."""

from __future__ import annotations

import math
import os
from contextlib import suppress
from pathlib import Path

from fooling.config import Settings
from fooling.encodings.protocol import Encoding
from fooling.errors import InvalidError
from fooling.sizes import size_of, to_text
from fooling.text import format_bytes

_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_FLOAT, _OBJECT = 4, 32  # bytes: of a float32; of a Python number in a list


def of_machine() -> int:
    """Bytes that this process can have: the machine's, or fewer where a container is limited."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for limit in _LIMITS:
        with suppress(OSError, ValueError):  # no such limit, or "max"
            found.append(int(Path(limit).read_text()))
    return min(found)


def expect_room_for_elites(encoding: Encoding, classes: int) -> None:
    """
    Raises:
        InvalidError: so many elites can't fit this machine.
    """
    _expect(_elites(encoding, classes), f"{classes:,} elites of {_words(encoding)}")


def expect_room(settings: Settings, encoding: Encoding, classes: int, on_device: bool) -> None:
    """
    Args:
        settings: of a run; what depends on the classifier may be left open.
        classes: of the classifier.
        on_device: batches are in a GPU's memory.

    Raises:
        InvalidError: the run can't fit this machine.
    """
    count = len(settings.search.target_classes(classes))
    needed = _elites(encoding, count) + _search(settings, encoding, count)
    if not on_device:
        needed += settings.run.batch * math.prod(encoding.image_shape) * (1 + _FLOAT)
    what = f"{count:,} elites of {_words(encoding)}, what the search {settings.search.name} holds beside them"
    _expect(needed, what if on_device else f"{what}, and {settings.run.batch} images a batch")


def _elites(encoding: Encoding, count: int) -> int:
    return count * (math.prod(encoding.image_shape) + _FLOAT * _genes(encoding))


def _search(settings: Settings, encoding: Encoding, count: int) -> int:
    """What a search holds at once beside the archive."""
    search = settings.search
    if search.name == "gradient-ascent":
        floats = 3 if search.rule == "adam" else 1
        return count * (search.starts or 1) * math.prod(encoding.image_shape) * (1 + floats * _FLOAT)
    if search.name == "single-class":  # DEAP's lists: parents and children
        return 2 * search.population * _genes(encoding) * _OBJECT
    return _elites(encoding, min(settings.run.chunk or settings.run.batch, search.population))  # of a chunk


def _genes(encoding: Encoding) -> int:
    return encoding.settings.genes(math.prod(encoding.image_shape))


def _words(encoding: Encoding) -> str:
    *size, channels = encoding.image_shape
    return f"{to_text(size_of(size))} pixels, {'grey' if channels == 1 else 'colour'}, {encoding.name}"


def _expect(needed: int, what: str) -> None:
    if needed > (there := of_machine()):
        raise InvalidError(
            f"{what}: expected at most the {format_bytes(there)} of memory that this machine has, found at least "
            f"{format_bytes(needed)}; choose a smaller encoding.size, fewer classes or a smaller population"
        )
