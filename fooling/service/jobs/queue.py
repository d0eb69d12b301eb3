"""The order in which waiting jobs are computed: those that were under way first, then as somebody ordered them, then
by age."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from fooling.errors import InvalidError
from fooling.files import json_bytes, replacing
from fooling.service.jobs.places import is_id
from fooling.untrusted import parse_json, read_plain

LONGEST = 2**22  # bytes of the file


def ordered(waiting: Iterable[tuple[str, bool, float]], pinned: list[str]) -> list[str]:
    """The ids of waiting jobs, the next one first.

    Args:
        waiting: id, whether it goes first, and time of creation of each.
        pinned: ids in the order that somebody gave them; those that came later are behind them.
    """
    place = {id: number for number, id in enumerate(pinned)}
    last = len(place)
    return [
        id
        for id, _, _ in sorted(waiting, key=lambda job: (not job[1], place.get(job[0], last), job[2], job[0]))
    ]


def read_pinned(path: Path) -> list[str]:
    """The order that somebody gave; a damaged file is none."""
    try:
        found = parse_json(read_plain(path, LONGEST), path.name)
    except (OSError, InvalidError):
        return []
    return [id for id in found if isinstance(id, str) and is_id(id)] if isinstance(found, list) else []


def write_pinned(path: Path, ids: list[str]) -> None:
    """Keep an order."""
    with replacing(path, durable=True) as file:
        file.write(json_bytes(ids))


def moved(order: Sequence[str], id: str, before: str | None) -> list[str]:
    """An order in which one stands before another, or at the end."""
    rest = [other for other in order if other != id]
    at = rest.index(before) if before is not None else len(rest)
    return [*rest[:at], id, *rest[at:]]
