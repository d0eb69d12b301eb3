"""Image files with what is said of their classes, before it is held against the classes there are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fooling.datasets.names import WORDNET_ID, Classes, natural, without_id
from fooling.errors import InvalidError

_NUMBERED = re.compile(r"(\d+)(?:[_\-. ]+(.+))?")
_SHOWN = 5


@dataclass(frozen=True)
class Entry:
    """A labelled image.

    Attributes:
        file: where it is.
        said: the class: by `index`, `wnid` (WordNet id) or `label`, of which several must agree; or by `folder`,
            the name of a class folder, which may be any of them.
        place: what an error names: the file itself, or the line of a table.
    """

    file: Path
    said: Mapping[str, str]
    place: str


def classes_of(entries: Sequence[Entry], classes: Classes) -> tuple[list[int], str]:
    """The class index of each, and in words what the classes were told by.

    Raises:
        InvalidError: a class that there is not, columns that contradict each other, or names of folders that fit
            no class.
    """
    folders = sorted({entry.said["folder"] for entry in entries if "folder" in entry.said}, key=natural)
    if not folders:
        return [_class_of(entry, classes) for entry in entries], ""
    found, form = of_folders(folders, classes, entries[0].place)
    return [found[entry.said["folder"]] for entry in entries], form


def of_folders(names: Sequence[str], classes: Classes, place: str) -> tuple[dict[str, int], str]:
    """The classes of class folders: by the first form that all names have, never by their order.

    Raises:
        InvalidError: there is none; the line has the names that fit the best form least.
    """
    best: tuple[dict[str, int], str] = ({}, "")
    for form, read in _FORMS.items():
        found = {name: index for name in names if (index := read(name, classes)) is not None}
        if len(found) == len(names):
            return found, form
        if len(found) > len(best[0]):
            best = found, form
    strangers = [name for name in names if name not in best[0]]
    some = ", ".join(map(repr, strangers[:_SHOWN])) + (", ..." if len(strangers) > _SHOWN else "")
    if names == [str(number) for number in range(1, len(classes) + 1)]:
        some += f": indices count from 0 to {len(classes) - 1}"
    raise InvalidError(
        f"{place}: expected folders named by label, WordNet id or index (below {len(classes)}) of {classes.owner}, "
        f"found {len(strangers)} of {len(names)} that fit no class: {some}"
    )


def derived(entries: Sequence[Entry]) -> Classes:
    """The classes that entries speak of themselves, in the order of their indices where these are given, else of
    their names, numbers counting as numbers.

    Raises:
        InvalidError: an index with two labels, or no number.
    """
    keys = [
        key for key in ("folder", "index", "label", "wnid") if all(entry.said.get(key) for entry in entries)
    ]
    if not keys:
        raise InvalidError(f"{entries[0].place}: expected a class for every image")
    if keys[0] != "index":
        labels = tuple(sorted({entry.said[keys[0]] for entry in entries}, key=natural))
        return Classes(labels, labels if keys[0] == "wnid" else None)
    named: dict[int, str] = {}
    for entry in entries:
        index = _number(entry.said["index"], entry.place)
        label = entry.said.get("label") or named.get(index, "")
        if (before := named.setdefault(index, label)) != label:
            if before:
                raise InvalidError(
                    f"{entry.place}: expected one label of class {index}, found {before!r} and {label!r}"
                )
            named[index] = label
    return Classes(tuple(named.get(index) or str(index) for index in range(max(named) + 1)))


def _class_of(entry: Entry, classes: Classes) -> int:
    """The class of an entry; what is said of it must agree, since labels in another order are a common mistake."""
    found: dict[str, int] = {}
    for key, text in entry.said.items():
        if text and (index := _CLASS_FROM[key](text, classes, entry.place)) is not None:
            found[key] = index
    if not found:
        raise InvalidError(
            f"{entry.place}: expected a class in {' or '.join(entry.said)} that {classes.owner} knows"
        )
    if len(set(found.values())) > 1:
        stated = ", ".join(f"{key} {entry.said[key]} (class {index})" for key, index in found.items())
        raise InvalidError(
            f"{entry.place}: expected one class, found {stated}: are the labels in another order?"
        )
    return next(iter(found.values()))


def _number(text: str, place: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise InvalidError(f"{place}: expected a class index, found {text!r}")
    return int(text)


def _by_index(text: str, classes: Classes, place: str) -> int:
    if (index := _number(text, place)) >= len(classes):
        raise InvalidError(f"{place}: expected a class below {len(classes)}, found {index}")
    return index


def _by_wnid(text: str, classes: Classes, place: str) -> int | None:
    """None where there are no WordNet ids to compare with."""
    if not classes.knows_ids:
        return None
    if (index := classes.with_id(text)) is None:
        raise InvalidError(f"{place}: expected a WordNet id of {classes.owner}, found {text!r}")
    return index


def _by_label(text: str, classes: Classes, place: str) -> int:
    if len(found := classes.with_label(text)) != 1:
        raise InvalidError(
            f"{place}: expected a label that {classes.owner} has once, found {text!r} {len(found)} times"
        )
    return found[0]


_CLASS_FROM = {"index": _by_index, "wnid": _by_wnid, "label": _by_label}


def _only(found: Iterable[int]) -> int | None:
    """The one that there is, None of none or several."""
    distinct = set(found)
    return distinct.pop() if len(distinct) == 1 else None


def _folder_label(name: str, classes: Classes) -> int | None:
    return _only(classes.with_label(name))


def _folder_id(name: str, classes: Classes) -> int | None:
    """`n01440764`, `n01440764_tench`; without WordNet ids to compare with, by the name that follows."""
    if (match := WORDNET_ID.match(name)) is None:
        return None
    if classes.knows_ids:
        return classes.with_id(match[0])
    return _only(classes.with_label(without_id(name)))


def _folder_index(name: str, classes: Classes) -> int | None:
    """`5`, `0005_shark`; where what follows is the name of other classes only, it contradicts the number."""
    if (match := _NUMBERED.fullmatch(name)) is None or int(match[1]) >= len(classes):
        return None
    index = int(match[1])
    named = classes.with_label(without_id(match[2])) if match[2] else []
    return index if not named or index in named else None


_FORMS = {"label": _folder_label, "WordNet id": _folder_id, "class index": _folder_index}
