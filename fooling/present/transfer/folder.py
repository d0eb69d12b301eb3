"""A transfer matrix as a folder: the data, the heat map, and a page that shows which images fool whom."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from fooling.files import json_bytes, refuse_foreign, write_files
from fooling.present import web
from fooling.present.gallery import csp_hash
from fooling.present.transfer.figures import matrix
from fooling.present.transfer.matrix import drawn
from fooling.present.web.bundle import bundle, stylesheet
from fooling.store.elites import SMALL, encode
from fooling.studies.transfer.result import KIND, Result
from fooling.text import all_plain, encoded

DATA, FIGURE, PAGE = "transfer.json", "matrix.png", "transfer.html"
THUMB = 112  # pixels at most: the page shows many; the images themselves are in the run directories
_STYLES = ("tokens.css", "base.css", "study.css", "transfer.css")


def write(result: Result, folder: Path, force: bool = False) -> list[Path]:
    """Write a transfer and what shows it, in place of an older one; by `force`, in any folder.

    Returns:
        The files.

    Raises:
        FoolingError: the folder is something else, or can't be written.
    """
    refuse_foreign(folder, DATA, KIND, force)
    contents = {
        DATA: json_bytes(result.document()),
        FIGURE: matrix(result),
        PAGE: encoded(page(result)),
    }
    return write_files(folder, contents)


def page(result: Result) -> str:
    """The HTML page: the matrix, and every image with what each target says of it."""
    style, script = stylesheet(*_STYLES), bundle("transfer.js")
    images = []
    for elite in result.images:
        run = result.snapshots[elite.source]
        pixels = _thumb(run.stored_pixels[run.stored_rows[elite.number]])
        images.append(base64.b64encode(encode(pixels, level=SMALL)).decode("ascii"))
    return (
        web.environment()
        .get_template("transfer.html.j2")
        .render(
            data=all_plain(drawn(result, result.names)),
            images=images,
            style=Markup(style),
            script=Markup(script),
            style_hash=csp_hash(style),
            script_hash=csp_hash(script),
        )
    )


def _thumb(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width, channels = pixels.shape
    if (longer := max(height, width)) <= THUMB:
        return pixels
    image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
    size = max(1, round(width * THUMB / longer)), max(1, round(height * THUMB / longer))
    small = np.asarray(image.resize(size, Image.Resampling.LANCZOS))
    return small[..., None] if small.ndim == 2 else small
