"""Which runs are repeats of each other: those of one config and one classifier, apart from the seed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot

# What tells searches apart best, in words that need no key beside them.
_SPEAKING = ("search.name", "encoding.name", "model", "encoding.profile")
_LONGEST = 48  # characters of a name


def groups(views: Sequence[Snapshot]) -> list[list[int]]:
    """The positions of runs that are repeats of each other, in the order of their first."""
    found: dict[str, list[int]] = {}
    for position, view in enumerate(views):
        found.setdefault(json.dumps(_identity(view), sort_keys=True), []).append(position)
    return list(found.values())


def names(views: Sequence[Snapshot]) -> list[str]:
    """A name for each group: as few settings as tell the groups apart.

    Args:
        views: one run of each group.
    """
    identities = [_identity(view) for view in views]
    keys = [*_SPEAKING, *sorted({key for one in identities for key in one} - set(_SPEAKING))]
    chosen: list[str] = []
    told = 1
    for key in keys:
        apart = len({_values(one, [*chosen, key]) for one in identities})
        if apart > told:
            chosen.append(key)
            told = apart
    return [_name(one, chosen or ["search.name"]) for one in identities]


def told_apart(views: Sequence[Snapshot]) -> list[tuple[str, list[str | None]]]:
    """The settings in which runs differ, seed included: each with its value in every run, None where a run has no such
    setting. What tells them apart best comes first."""
    identities = [{**_identity(view), "seed": view.spec.seed} for view in views]
    keys = [*_SPEAKING, *sorted({key for one in identities for key in one} - set(_SPEAKING))]
    differing = (key for key in keys if len({_values(one, [key]) for one in identities}) > 1)
    return [(key, [_word(key, one) for one in identities]) for key in differing]


def _word(key: str, identity: Mapping[str, Any]) -> str | None:
    value = identity.get(key)
    if value is None:
        return None
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)[:8] if key == "classifier" else value if isinstance(value, str) else json.dumps(value)


def _identity(view: Snapshot) -> dict[str, Any]:
    """All that makes a run what it is but its seed and how it was computed."""
    config = {
        key: value
        for key, value in view.spec.config.model_dump(mode="json").items()
        if key not in ("seed", "run")
    }
    return {**dict(_flat(config)), "classifier": view.spec.classifier.fingerprint}


def _flat(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _values(identity: Mapping[str, Any], keys: Sequence[str]) -> str:
    return json.dumps([identity.get(key) for key in keys])


def _name(identity: Mapping[str, Any], keys: Sequence[str]) -> str:
    parts = []
    for key in keys:
        value = identity.get(key)
        if key == "classifier":
            value = str(value)[:8]
        if value is not None:
            parts.append(str(value) if key in _SPEAKING else f"{key.rpartition('.')[2]} {value}")
    name = ", ".join(parts)
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
