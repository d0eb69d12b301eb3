"""Labelled images where people keep them, found and listed; nothing is opened yet but tables and arrays.

- folders of classes, as torchvision's ImageFolder has them, named by label, WordNet id or index;
- a folder of images whose names start with the class index: `0005_shark.jpg`, `5.png`;
- a table, or a folder with one (`fooling.datasets.tables`);
- the IDX files of MNIST (`fooling.datasets.idx`), or an .npz (`fooling.datasets.npz`);
- a folder with these in folders, or tables, named train, val and test.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fooling.datasets import idx, npz
from fooling.datasets.entries import Entry
from fooling.datasets.images import image_files, visible
from fooling.datasets.samples import Samples
from fooling.datasets.tables import SUFFIXES, read_table
from fooling.errors import InvalidError, NotFoundError

TRAIN, VALIDATION, TEST, WHOLE = "train", "val", "test", ""
_SPLITS = {
    TRAIN: ("train", "training", "trn"),
    VALIDATION: ("val", "valid", "validation", "dev"),
    TEST: ("test", "testing", "tst", "eval"),
}
EXPECTED = (
    "class folders, images named by class index, a CSV that names images, an .npz, or the IDX files of MNIST"
)


@dataclass(frozen=True)
class Part:
    """The images of one split: files with what is said of them, or arrays.

    Attributes:
        form: what they are kept in, in words.
        entries: the files; empty where there are arrays.
        arrays: reads images and labels, where they lie in arrays.
        names: of the arrays' classes, where they come with names.
        doubt: what looks wrong about them.
    """

    form: str
    entries: Sequence[Entry] = ()
    arrays: Callable[[], Samples] | None = None
    names: tuple[str, ...] = ()
    doubt: str | None = None


def parts_of(path: Path) -> dict[str, Part]:
    """What is found, by split: "train", "val", "test"; "" where it is not split.

    Raises:
        NotFoundError: nothing is there.
        InvalidError: nothing that is known here, or several at once.
    """
    if path.is_dir():
        return _in_folder(path)
    if not path.exists():
        raise NotFoundError(f"{path}: expected {EXPECTED}; found nothing there")
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return _in_table(path)
    if suffix == ".npz":
        arrays, names = npz.read_parts(path)
        return {
            split: Part("an .npz", arrays=partial(_same, part), names=names) for split, part in arrays.items()
        }
    raise InvalidError(f"{path}: expected {EXPECTED}; for IDX files name their folder")


def _same(samples: Samples) -> Samples:
    return samples


def _in_folder(folder: Path) -> dict[str, Part]:
    for place in (folder, folder / "raw"):  # torchvision's MNIST
        if place.is_dir() and (found := idx.parts(place)):
            return {split: Part("IDX files", arrays=partial(idx.read_part, place, split)) for split in found}
    children = visible(folder.iterdir())
    tables = [child for child in children if child.suffix.lower() in SUFFIXES and child.is_file()]
    folders = [child for child in children if child.is_dir()]
    if len(tables) == 1:
        return _in_table(tables[0])
    if tables and len(named := _splits({table: table.stem for table in tables})) == len(tables):
        return _split(named)
    if tables:
        raise InvalidError(f"{folder}: expected one CSV, found {len(tables)}: name the one, like {tables[0]}")
    splits = _splits({child: child.name for child in folders})
    if splits and (len(splits) == len(folders) or any(map(_has_parts, splits))):
        return _split(splits)
    return {WHOLE: _of_images(folder, folders)}


def _splits(names: Mapping[Path, str]) -> dict[Path, str]:
    """The splits of those folders, or tables, whose names are of a split."""
    return {place: split for place, name in names.items() if (split := _split_of(name))}


def _split(places: Mapping[Path, str]) -> dict[str, Part]:
    """A part for each folder, or table, of a split."""
    found: dict[str, Part] = {}
    for place, name in places.items():
        parts = parts_of(place)
        if list(parts) != [WHOLE] or name in found:
            raise InvalidError(f"{place}: expected one folder of {name} images, that is not split again")
        found[name] = parts[WHOLE]
    return found


def _split_of(name: str) -> str | None:
    """The split that a folder, a table or a value of a table is named after."""
    return next((split for split, names in _SPLITS.items() if name.casefold() in names), None)


def _has_parts(folder: Path) -> bool:
    """Whether a folder holds class folders or a table, so that it is no class folder itself."""
    return any(child.is_dir() or child.suffix.lower() in SUFFIXES for child in visible(folder.iterdir()))


def _in_table(table: Path) -> dict[str, Part]:
    found: dict[str, list[Entry]] = {}
    for entry, value in read_table(table):
        split = _split_of(value) if value else WHOLE
        if split is None:
            raise InvalidError(f"{entry.place}: expected a split: train, val or test, found {value!r}")
        found.setdefault(split, []).append(entry)
    if WHOLE in found and len(found) > 1:
        raise InvalidError(
            f"{found[WHOLE][0].place}: expected a split, as in other lines: train, val or test"
        )
    return {split: Part("a CSV", entries) for split, entries in found.items()}


def _of_images(folder: Path, folders: Sequence[Path]) -> Part:
    """Images in class folders, or named by class index."""
    within = [
        Entry(file, {"folder": child.name}, str(folder))
        for child in folders
        for file in image_files(child, deep=True)
    ]
    named = image_files(folder)
    if within and named:
        raise InvalidError(
            f"{folder}: expected images in class folders only, found {named[0].name} beside them: name the folder, "
            "or a CSV"
        )
    if within:
        return Part("class folders", within)
    if not named:
        raise InvalidError(f"{folder}: expected {EXPECTED}; found none of these")
    return Part("images named by class index", [_named(file) for file in named], doubt=_doubt(named))


def _named(file: Path) -> Entry:
    number = re.match(r"[0-9]+", file.name)
    if number is None:
        raise InvalidError(
            f"{file}: expected a name that starts with the class index, like 0005_shark.jpg, a folder per class, "
            "or a CSV in the folder"
        )
    return Entry(file, {"index": number[0]}, str(file))


def _doubt(files: Sequence[Path]) -> str | None:
    """Names that look as if they only counted the images: 0000.png, 0001.png, ..."""
    stems = [file.stem for file in files]
    if not all(stem.isdecimal() for stem in stems):
        return None
    numbers = sorted(map(int, stems))
    if len(numbers) < 2 or numbers[0] > 1 or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        return None
    return (
        f"the {len(files)} images are named {numbers[0]} to {numbers[-1]}, and each number was taken for a class; "
        "if they only count the images, put these in class folders, or name classes in a CSV"
    )
