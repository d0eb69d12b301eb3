"""Labelled images to hold a classifier against: a folder, or a CSV, made into its image space.

Photographs are prepared as ImageNet's are for evaluation (Krizhevsky 2012): the centre of the image, seven
eighths of the largest part of the classifier's aspect ratio (or the classifier's size, where that is more),
resized to the classifier's size.
An image of exactly that size is taken as it is.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from fooling.classifiers.first_look import refuse_stand_in
from fooling.classifiers.spec import Spec
from fooling.errors import InvalidError, NotFoundError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "PPM", "GIF", "TIFF")
_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".ppm", ".pgm", ".gif", ".tif", ".tiff")
_MAX_PIXELS = 64_000_000
_CENTRE = 7 / 8


@dataclass(frozen=True)
class Samples:
    """Labelled images.

    Attributes:
        images: (n, height, width, channels) uint8.
        labels: (n,) int64, class indices.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


def read(path: str | Path, spec: Spec) -> Samples:
    """Labelled images for a classifier.

    Args:
        path: one of
            - a CSV with a column `file` (relative to the CSV) and the class in a column `index`, `wnid`
              (WordNet id) or `label`; where several are given, they must agree;
            - a folder with one such CSV;
            - a folder of images whose names start with the class index: `0005_shark.jpg`, `5.png`;
            - a folder with the IDX files of MNIST, of which the test set is read.

    Raises:
        NotFoundError: a file is not there.
        InvalidError: no such form, a class that the spec does not have, or no image.
    """
    path = Path(path)
    if path.is_dir():
        if any(path.glob("t10k-*")):
            return _from_idx(path, spec)
        tables = sorted(path.glob("*.csv"))
        if len(tables) > 1:
            raise InvalidError(
                f"{path}: expected one CSV, found {len(tables)}: name the one, like {tables[0]}"
            )
        pairs = _from_table(tables[0], spec) if tables else _from_names(path, spec)
    elif path.suffix == ".csv":
        pairs = _from_table(path, spec)
    else:
        raise NotFoundError(f"{path}: expected a folder of labelled images, or a CSV")
    files, labels = zip(*pairs, strict=True)
    return Samples(np.stack([prepare(file, spec) for file in files]), np.array(labels, np.int64))


def prepare(file: Path, spec: Spec) -> NDArray[np.uint8]:
    """An image file in the image space of a spec, of its `image_shape`, uint8.

    Raises:
        NotFoundError: no such file.
        InvalidError: not an image, or one of more than 64 million pixels.
    """
    refuse_stand_in(file, "an image")
    try:
        with Image.open(file, formats=FORMATS) as image:
            if image.width * image.height > _MAX_PIXELS:
                raise InvalidError(
                    f"{file}: expected at most {_MAX_PIXELS:,} pixels, found {image.width} x {image.height}"
                )
            plain = image.convert("L" if spec.colour == "grey" else "RGB")
    except FileNotFoundError:
        raise NotFoundError(f"{file}: expected an image, found no such file") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise InvalidError(
            f"{file}: expected an image ({', '.join(FORMATS)}): {str(error).splitlines()[0]}"
        ) from None
    if plain.size != (spec.width, spec.height):
        plain = _centre(plain, spec.width, spec.height)
    return np.asarray(plain).reshape(spec.image_shape)


def _centre(image: Image.Image, width: int, height: int) -> Image.Image:
    """The centre of an image at a size. Nothing is stretched: the part has the aspect ratio of that size."""
    if image.width * height > image.height * width:  # the image is the wider one
        largest = (max(1, round(image.height * width / height)), image.height)
    else:
        largest = (image.width, max(1, round(image.width * height / width)))
    across, down = (
        min(side, max(round(side * _CENTRE), least))
        for side, least in zip(largest, (width, height), strict=True)
    )
    left, top = (image.width - across) // 2, (image.height - down) // 2
    cut = image.crop((left, top, left + across, top + down))
    return cut.resize((width, height), Image.Resampling.BILINEAR)


def _from_idx(folder: Path, spec: Spec) -> Samples:
    from fooling.training.idx import read_part  # that room knows this one

    samples = read_part(folder, "t10k")
    if samples.images.shape[1:] != spec.image_shape:
        raise InvalidError(
            f"{folder}: expected images of shape {spec.image_shape} for {spec.name}, found {samples.images.shape[1:]}"
        )
    _known(int(samples.labels.max(initial=0)), spec, str(folder))
    return samples


def _from_names(folder: Path, spec: Spec) -> Iterator[tuple[Path, int]]:
    files = [file for file in sorted(folder.iterdir()) if file.suffix.lower() in _SUFFIXES]
    if not files:
        raise InvalidError(f"{folder}: expected images, or a CSV that names them, found neither")
    for file in files:
        number = re.match(r"\d+", file.name)
        if number is None:
            raise InvalidError(
                f"{file}: expected a name that starts with the class index, like 0005_shark.jpg, "
                "or a CSV in the folder"
            )
        yield file, _known(int(number[0]), spec, str(file))


def _from_table(table: Path, spec: Spec) -> Iterator[tuple[Path, int]]:
    try:
        with table.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except OSError as error:
        raise NotFoundError(f"{table}: expected a CSV: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidError(f"{table}: expected a CSV in UTF-8: {error}") from None
    if not rows:
        raise InvalidError(f"{table}: expected a line of column names and a line per image, found none")
    columns = [name for name in ("index", "wnid", "label") if name in rows[0]]
    if "file" not in rows[0] or not columns:
        raise InvalidError(
            f"{table}: expected a column file and one of index, wnid, label, "
            f"found {', '.join(map(str, rows[0]))}"
        )
    for number, row in enumerate(rows, start=2):
        place = f"{table}, line {number}"
        if None in row or None in row.values():
            raise InvalidError(f"{place}: expected {len(rows[0])} columns")
        yield table.parent / row["file"], _class_of(row, columns, spec, place)


def _class_of(row: dict[str, str], columns: list[str], spec: Spec, place: str) -> int:
    """The class of a row; its columns must agree, since labels in another order are a common mistake."""
    named = {column: _CLASS_FROM[column](row[column], spec, place) for column in columns if row[column]}
    found = {column: index for column, index in named.items() if index is not None}
    if not found:
        raise InvalidError(f"{place}: expected a class in {' or '.join(columns)} that {spec.name} knows")
    if len(set(found.values())) > 1:
        stated = ", ".join(f"{column} {row[column]} (class {index})" for column, index in found.items())
        raise InvalidError(f"{place}: expected one class, found {stated}: are the labels in another order?")
    return next(iter(found.values()))


def _by_index(text: str, spec: Spec, place: str) -> int:
    if not text.strip().isdecimal():
        raise InvalidError(f"{place}: expected a class index, found {text!r}")
    return _known(int(text), spec, place)


def _by_wnid(text: str, spec: Spec, place: str) -> int | None:
    """None where the spec has no WordNet ids to compare with."""
    if spec.wordnet is None:
        return None
    if text not in spec.wordnet:
        raise InvalidError(f"{place}: expected a WordNet id of {spec.name}, found {text!r}")
    return spec.wordnet.index(text)


def _by_label(text: str, spec: Spec, place: str) -> int:
    if (count := spec.labels.count(text)) != 1:
        raise InvalidError(
            f"{place}: expected a label that {spec.name} has once, found {text!r} {count} times"
        )
    return spec.labels.index(text)


_CLASS_FROM = {"index": _by_index, "wnid": _by_wnid, "label": _by_label}


def _known(index: int, spec: Spec, place: str) -> int:
    if index >= len(spec.labels):
        raise InvalidError(f"{place}: expected a class below {len(spec.labels)}, found {index}")
    return index
