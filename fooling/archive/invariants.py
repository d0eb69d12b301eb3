"""What has to hold of a checkpoint's arrays: checked once, wherever a run is read or goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling.archive import Archive
from fooling.archive.candidates import EMPTY
from fooling.errors import InvalidError


def expect(
    arrays: Mapping[str, NDArray], name: str, dtype: type[np.generic], shape: tuple[int | None, ...]
) -> NDArray:
    """An array of this dtype and shape, where None stands for any length.

    Raises:
        InvalidError: it is another one, or not there.
    """
    array = arrays.get(name)
    if array is None:
        raise InvalidError(f"expected an array {name}, found none")
    fits = len(array.shape) == len(shape) and all(
        length in (None, found) for length, found in zip(shape, array.shape, strict=True)
    )
    if array.dtype != dtype or not fits:
        wanted = ", ".join("any" if length is None else str(length) for length in shape)
        raise InvalidError(
            f"{name}: expected {np.dtype(dtype).name} of shape ({wanted}), found {array.dtype.name} of {array.shape}"
        )
    return array


def check_confidences(name: str, values: NDArray[np.float32], known: NDArray[np.bool_]) -> None:
    """Confidences where `known`, and -1 elsewhere; both (n,).

    Raises:
        InvalidError: others.
    """
    wrong = np.where(known, ~((values >= 0) & (values <= 1)), values != EMPTY)
    if wrong.any():
        place = int(wrong.argmax())
        expected = "a number from 0 to 1" if known[place] else "-1, as it is vacant"
        raise InvalidError(f"{name}: {place}: expected {expected}, found {values[place]}")


def check_archive(archive: Archive, arrays: Mapping[str, NDArray], genotypes: Any, generation: int) -> None:
    """Whether arrays are what `Archive.arrays` gave after some generation.

    Args:
        archive: an empty one of the run's cells and images.
        genotypes: the population of the `genotypes.` arrays.

    Raises:
        InvalidError: one line that names the array and what is wrong with it.
    """
    cells, fields = len(archive), archive.fields
    confidence = expect(arrays, "confidence", np.float32, (cells,))
    cell = expect(arrays, "cell", np.int32, (cells,))
    ids = expect(arrays, "ids", fields["ids"].dtype, (None, 3))
    rows = len(ids)
    if rows > cells:
        raise InvalidError(f"ids: expected at most {cells} images, one a cell, found {rows}")
    older = "top1" not in arrays and "top1_confidence" not in arrays  # checkpoints did not always hold them
    for name, field in fields.items():
        if not (older and name.startswith("top1")):
            expect(arrays, name, field.dtype, (rows, *field.shape))
    if not rows <= len(genotypes) <= cells:
        raise InvalidError(f"genotypes: expected {rows} of them, one an image, found {len(genotypes)}")
    if ((cell < -1) | (cell >= rows)).any():
        raise InvalidError(
            f"cell: expected rows from 0 to {rows - 1}, or -1, found {cell.min()} to {cell.max()}"
        )
    check_confidences("confidence", confidence, cell >= 0)
    if not older:
        _check_answers(arrays["top1"], arrays["top1_confidence"], archive.cells.number_of_classes)
    used = np.unique(cell[cell >= 0])
    if rows != int(cell.max(initial=-1)) + 1:
        raise InvalidError(f"ids: expected an image for each row up to {cell.max(initial=-1)}, found {rows}")
    own = ids[used]
    if (own < 0).any() or (own[:, 0] > generation).any():
        raise InvalidError(
            f"ids: expected numbers from 0 on, generations up to {generation}, found {own.min()} and "
            f"generation {own[:, 0].max()}"
        )
    if len(np.unique(own, axis=0)) < len(own):
        raise InvalidError("ids: expected each image once, found one twice")


def _check_answers(top1: NDArray[np.int32], confidence: NDArray[np.float32], classes: int) -> None:
    """What the classifier answers first to each image, where the checkpoint says so."""
    if ((top1 < -1) | (top1 >= classes)).any():
        raise InvalidError(
            f"top1: expected classes below {classes}, or -1, found {top1.min()} to {top1.max()}"
        )
    if not np.where(top1 >= 0, (confidence >= 0) & (confidence <= 1), np.isnan(confidence)).all():
        raise InvalidError(
            "top1_confidence: expected numbers from 0 to 1, and NaN where top1 is -1, found others"
        )
