"""Taking a run's images elsewhere: a folder of PNGs, a contact sheet, one array file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fooling.errors import FoolingError
from fooling.files import refuse_existing, replacing
from fooling.present.sheet import contact_sheet
from fooling.sizes import Size, size_of, to_text
from fooling.store import manifest
from fooling.store.elites import elite_name, elite_text, write

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot

# The formats of a contact sheet by suffix, and how they are saved.
_SHEETS: dict[str, tuple[str, dict[str, Any]]] = {
    ".png": ("PNG", {"compress_level": 6}),
    ".webp": ("WEBP", {"quality": 90, "method": 4}),
    ".jpg": ("JPEG", {"quality": 92, "subsampling": 0}),
    ".jpeg": ("JPEG", {"quality": 92, "subsampling": 0}),
}


def export_png(
    view: Snapshot,
    path: Path,
    size: Size | None = None,
    render: Callable[[Size], NDArray[np.uint8]] | None = None,
    force: bool = False,
) -> int:
    """Write the elite of every class as NNNN.png, by class index, into a folder.

    Args:
        path: the folder; made if missing.
        size: of the longer side in pixels, or (height, width). Without `render`, a multiple of the classified
            images': each pixel becomes a square. Default: exactly the classified pixels.
        render: draws the elites' genotypes at a size: size -> (S, height, width, C) uint8, the rows of
            `view.stored_pixels`. Such an image was never classified, and its text entries say so.
        force: write into a folder that is not empty.

    Returns:
        The number of files written.

    Raises:
        FoolingError: the folder is not empty, or `size` is no multiple.
        OSError: it can't be written.
    """
    height, width = view.stored_pixels.shape[1:3]
    pixels, note = view.stored_pixels, {}
    wanted = _scaled(size, height, width)
    if wanted != (height, width):
        native = to_text((height, width))
        if render is not None:
            pixels = render(size_of(wanted))
            note = {
                "rendered": f"again at {to_text(wanted)} px; the confidence is of the image at {native} px"
            }
        else:
            factor = _factor(wanted, height, width)
            pixels = view.stored_pixels.repeat(factor, 1).repeat(factor, 2)
            note = {"scaled": f"{factor} times, nearest neighbour; the confidence is of {native} px"}
    refuse_existing(path, force)
    path.mkdir(parents=True, exist_ok=True)
    classes = np.flatnonzero(view.occupied)
    for index in classes.tolist():
        write(path / elite_name(index), pixels[view.stored_rows[index]], elite_text(view, index) | note)
    return len(classes)


def _scaled(size: Size | None, height: int, width: int) -> tuple[int, int]:
    """The height and width that are asked for."""
    if isinstance(size, tuple):
        return size
    factor = 1.0 if size is None else size / max(height, width)
    return max(1, round(height * factor)), max(1, round(width * factor))


def _factor(wanted: tuple[int, int], height: int, width: int) -> int:
    factor = max(1, round(max(wanted) / max(height, width)))
    if wanted != (height * factor, width * factor):
        raise FoolingError(
            f"size {to_text(wanted)}: expected a multiple of the classified images' {to_text((height, width))} "
            f"px, such as {to_text((height * factor, width * factor))}"
        )
    return factor


def export_sheet(view: Snapshot, path: Path, force: bool = False, **options: Any) -> tuple[int, int]:
    """Write a contact sheet: lossless as .png, several times smaller as .webp or .jpg.

    Args:
        options: as `contact_sheet` takes them.

    Returns:
        Width and height in pixels.

    Raises:
        FoolingError: the file exists, has another suffix, or the page is too large for its format.
        NotFoundError: as `contact_sheet`.
        OSError: it can't be written.
    """
    if path.suffix.lower() not in _SHEETS:
        raise FoolingError(f"{path}: expected a name that ends in {', '.join(_SHEETS)}")
    refuse_existing(path, force)
    kind, settings = _SHEETS[path.suffix.lower()]
    sheet = contact_sheet(view, **options)
    if kind == "WEBP" and max(sheet.size) > 16383:
        raise FoolingError(f"{path}: WebP holds up to 16383 px a side, the sheet is {sheet.size}; use .png")
    with replacing(path) as file:
        sheet.save(file, kind, **settings)
    return sheet.size


def export_npz(view: Snapshot, path: Path, force: bool = False) -> None:
    """Write one compressed .npz, to be read with `numpy.load(path)` (no pickled objects in it).

    Its arrays, of K classes, all in the order of the classes; docs/run-directory.md lists them:
        labels           (K,) unicode
        occupied         (K,) bool: whether a class has an elite
        confidence       (K,) float32, NaN where it has none
        images           (K, H, W, C) uint8, the elites' pixels as they were classified; zeros where there is none
        top1             (K,) int32: the class that the classifier answers first; -1 where there is no elite, or it is
                         not known
        top1_confidence  (K,) float32, of that class; NaN likewise
        ids              (K, 3) int32: generation, stream and child of each elite; -1 where none
        manifest         () unicode: the run's manifest as JSON

    Raises:
        FoolingError: the file exists.
        OSError: it can't be written.
    """
    refuse_existing(path, force)
    with replacing(path) as file:
        np.savez_compressed(
            file,
            labels=np.array(view.labels, np.str_),
            occupied=view.occupied,
            confidence=view.confidence,
            images=view.images,
            top1=view.top1,
            top1_confidence=view.top1_confidence,
            ids=view.ids,
            manifest=np.array(json.dumps(manifest.document(view.spec), ensure_ascii=False)),
        )
