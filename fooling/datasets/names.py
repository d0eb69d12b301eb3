"""How names of classes are compared, and the classes that labelled images are sorted into.

Nothing here guesses: a name that fits no class, or several, is refused by whoever asked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

WORDNET_ID = re.compile(r"n\d{8}(?!\d)")
_APOSTROPHES = re.compile("['\u2018\u2019\u02bc`\u00b4]")
_WITHIN_WORDS = re.compile(r"(?<=\w)[\s_\-\u2010\u2011]+(?=\w)")


def plain(name: str) -> str:
    """A name without case, and without the spelling of what is between words: blanks, underscores, hyphens,
    apostrophes. A sign before or after a word stays: "-1" is not "1"."""
    name = _composed(name).casefold().replace("_", " ")
    return _WITHIN_WORDS.sub(" ", _APOSTROPHES.sub("", name)).strip()


def _composed(name: str) -> str:
    """A name whose accented letters are one character each: macOS names files with accents as characters of their own,
    which look the same."""
    return unicodedata.normalize("NFC", name)


def as_it_is(name: str) -> set[str]:
    """The name, without blanks around it."""
    return {_composed(name).strip()} - {""}


def whole(name: str) -> set[str]:
    """The name, normalised, commas and all."""
    return {plain(name.replace(",", " "))} - {""}


def first_lemma(name: str) -> set[str]:
    """What stands before the first comma, normalised: "great white shark, white shark"."""
    return {plain(name.partition(",")[0])} - {""}


def lemmas(name: str) -> set[str]:
    """What stands between the commas, normalised."""
    return {plain(part) for part in name.split(",")} - {""}


def without_id(name: str) -> str:
    """A name without the WordNet id that it begins with: "n01440764_tench", "n01440764 tench"; as it is where
    nothing else is left."""
    match = WORDNET_ID.match(name)
    return (name[match.end() :].lstrip(" _-,:;.\t") or name) if match else name


def wordnet_ids(names: Sequence[str]) -> tuple[str, ...] | None:
    """The WordNet ids that all names begin with, None where one does not."""
    found = [WORDNET_ID.match(name) for name in names]
    return tuple(match[0] for match in found if match) if all(found) else None


@dataclass(frozen=True)
class Classes:
    """The classes that images may have.

    Attributes:
        labels: their names, in the order of their indices.
        wordnet: their WordNet ids, where they are known.
        owner: whose they are, for errors: a classifier's name.
    """

    labels: tuple[str, ...]
    wordnet: tuple[str, ...] | None = None
    owner: str = "the data"

    def __len__(self) -> int:
        return len(self.labels)

    def with_label(self, text: str) -> list[int]:
        """The classes of that name, by the first way of writing it that any has: as it is, normalised, as the
        first of its lemmas, as one of them."""
        for write, known in zip((as_it_is, whole, whole, whole), self._names, strict=True):
            if found := [index for name in write(text) for index in known.get(name, ())]:
                return found
        return []

    def with_id(self, text: str) -> int | None:
        """The class of a WordNet id."""
        return self._ids.get(text)

    @cached_property
    def knows_ids(self) -> bool:
        """Whether there are WordNet ids to compare with."""
        return bool(self._ids)

    @cached_property
    def _ids(self) -> dict[str, int]:
        ids = self.wordnet or wordnet_ids(self.labels) or ()
        return {identity: index for index, identity in enumerate(ids)}

    @cached_property
    def _names(self) -> list[dict[str, list[int]]]:
        tables: list[dict[str, list[int]]] = []
        for write in (as_it_is, whole, first_lemma, lemmas):
            table: dict[str, list[int]] = {}
            for index, label in enumerate(self.labels):
                for name in write(label) | (write(without_id(label)) if write is not as_it_is else set()):
                    table.setdefault(name, []).append(index)
            tables.append(table)
        return tables


def natural(name: str) -> tuple[float, str]:
    """A sort key by which numbers at the beginning of names count as numbers: 2 before 10, and both before words."""
    number = re.match(r"\d+", name)
    return (int(number[0]) if number else float("inf"), name)
