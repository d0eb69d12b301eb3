"""Which class of one classifier is which of another's: by the same list, by WordNet id, or by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fooling.errors import InvalidError

NONE = -1


def matched(
    source: Sequence[str],
    target: Sequence[str],
    source_wordnet: Sequence[str] | None = None,
    target_wordnet: Sequence[str] | None = None,
) -> NDArray[np.int64]:
    """For each class of the source, that of the target.

    Args:
        source, target: labels, in output order.
        source_wordnet, target_wordnet: WordNet ids likewise, where they are known.

    Returns:
        (K,) int64, -1 where the target has no such class.

    Raises:
        InvalidError: they have no class in common.
    """
    if tuple(source) == tuple(target):
        return np.arange(len(source))
    if source_wordnet is not None and target_wordnet is not None:
        found = _by_name(source_wordnet, target_wordnet)
    else:
        found = _by_name([_plain(name) for name in source], [_plain(name) for name in target])
    if (found == NONE).all():
        raise InvalidError(
            f"expected labels in common, found {_some(source)} in the run and {_some(target)} in the target; "
            "give the target's spec the run's labels, or WordNet ids"
        )
    return found


def _by_name(source: Sequence[str], target: Sequence[str]) -> NDArray[np.int64]:
    """Names that occur twice on a side name no class."""
    once = {name for side in (source, target) for name, count in Counter(side).items() if count == 1}
    once -= {name for side in (source, target) for name, count in Counter(side).items() if count > 1}
    place = {name: index for index, name in enumerate(target) if name in once}
    return np.array([place.get(name, NONE) if name in once else NONE for name in source], np.int64)


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").split())


def _some(labels: Sequence[str]) -> str:
    return f"{', '.join(labels[:3])}{', ...' if len(labels) > 3 else ''} ({len(labels):,})"
