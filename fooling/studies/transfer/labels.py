"""Which class of one classifier is which of another's: by the same list, by WordNet id, or by name.

Names of the same classes differ between zoos: "great white shark, white shark, ..." (all lemmas of a WordNet synset),
"great white shark" (the first), "great_white_shark". Four rules are tried in turn, each on the classes that those
before it left open, and each matches only what it finds once on either side:

1. equal names;
2. names that are equal but for case, blanks, underscores, commas, apostrophes, and hyphens within words;
3. a name that is the first lemma of the other;
4. a name that is any lemma of the other.

Order decides only for what is ambiguous then (ImageNet has two cranes and two maillots), and only where it can be
trusted: the lists are equally long, and the rules above matched nearly all classes, at the same place in both. Then a
class that is left open is the one at its place in the other list, if the two names share a word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fooling.datasets.names import as_it_is, first_lemma, lemmas, plain, whole, without_id, wordnet_ids
from fooling.errors import InvalidError

NONE = -1
_NEARLY_ALL = 0.95


def matched(
    source: Sequence[str],
    target: Sequence[str],
    source_wordnet: Sequence[str] | None = None,
    target_wordnet: Sequence[str] | None = None,
) -> NDArray[np.int64]:
    """For each class of the source, that of the target.

    Args:
        source, target: labels, in output order.
        source_wordnet, target_wordnet: WordNet ids likewise, where they are known. Labels that are such ids, or
            begin with them, will do.

    Returns:
        (K,) int64, -1 where the target has no such class.

    Raises:
        InvalidError: they have no class in common.
    """
    if tuple(source) == tuple(target):
        return np.arange(len(source))
    ids = source_wordnet or wordnet_ids(source), target_wordnet or wordnet_ids(target)
    if ids[0] and ids[1]:
        found = np.full(len(source), NONE)
        _match_once(found, [{name} for name in ids[0]], [{name} for name in ids[1]])
    else:
        found = _by_name([without_id(name) for name in source], [without_id(name) for name in target])
    if (found == NONE).all():
        raise InvalidError(
            f"expected labels in common, found {_some(source)} in the run and {_some(target)} in the target; "
            "give the target's spec the run's labels, or WordNet ids"
        )
    return found


def _by_name(source: Sequence[str], target: Sequence[str]) -> NDArray[np.int64]:
    """(K,) int64: by the rules above, then by order."""
    found = np.full(len(source), NONE)
    for names_here, names_there in _RULES:
        _match_once(found, [names_here(name) for name in source], [names_there(name) for name in target])
    if len(source) == len(target) and (found == np.arange(len(found))).mean() >= _NEARLY_ALL:
        taken = set(found.tolist())
        for place in np.flatnonzero(found == NONE).tolist():
            if place not in taken and _words(source[place]) & _words(target[place]):
                found[place] = place
    return found


def _match_once(found: NDArray[np.int64], source: Sequence[set[str]], target: Sequence[set[str]]) -> None:
    """Match, in place, the classes that are open and share a name which only one open class has on either side.

    Args:
        found: (K,) the target's class of each of the source's, -1 where it is open.
        source, target: the names of each class.
    """
    taken = set(found.tolist())
    here = [(name, row) for row, names in enumerate(source) if found[row] == NONE for name in names]
    there = [(name, row) for row, names in enumerate(target) if row not in taken for name in names]
    once_here, once_there = _once(here), _once(there)
    pairs = {(row, once_there[name]) for name, row in once_here.items() if name in once_there}
    rows, columns = Counter(row for row, _ in pairs), Counter(column for _, column in pairs)
    for row, column in pairs:
        if rows[row] == columns[column] == 1:
            found[row] = column


def _once(pairs: Sequence[tuple[str, int]]) -> dict[str, int]:
    """The class of each name that one class has."""
    count = Counter(name for name, _ in pairs)
    return {name: row for name, row in pairs if count[name] == 1}


# The names of a class that are compared, on either side, in the order in which they are tried.
_RULES = (
    (as_it_is, as_it_is),
    (whole, whole),
    (whole, first_lemma),
    (first_lemma, whole),
    (whole, lemmas),
    (lemmas, whole),
)


def _words(name: str) -> set[str]:
    return set(re.findall(r"\w+", plain(name)))


def _some(labels: Sequence[str]) -> str:
    return f"{', '.join(labels[:3])}{', ...' if len(labels) > 3 else ''} ({len(labels):,})"
