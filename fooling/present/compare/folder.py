"""A comparison as a folder: figures, data, and a gallery that shows the classes side by side."""

from __future__ import annotations

from pathlib import Path

from fooling.errors import naming_write_errors
from fooling.files import json_bytes, refuse_foreign, write_files
from fooling.present.gallery import write_gallery
from fooling.studies.compare.result import KIND, Result

DATA, GALLERY = "comparison.json", "gallery.html"


def write(result: Result, folder: Path, force: bool = False) -> list[Path]:
    """Write a comparison, in place of an older one; by `force`, in any folder.

    Returns:
        The files.

    Raises:
        FoolingError: the folder is something else, or can't be written.
    """
    from fooling.present.compare import figures

    refuse_foreign(folder, DATA, KIND, force)
    with naming_write_errors(folder):
        for name in figures.NAMES:  # of the older one; which there are depends on the classes
            (folder / name).unlink(missing_ok=True)
        contents = {DATA: json_bytes(result.document()), **dict(figures.figures(result.comparison))}
        write_files(folder, contents)
        write_gallery([run.view for run in result.comparison.runs], folder / GALLERY)
    return [folder / name for name in (*contents, GALLERY)]
