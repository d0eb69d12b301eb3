"""A transfer matrix as a folder: the data, the heat map, and a page that shows which images fool whom."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from fooling.confidence import shortest
from fooling.errors import naming_write_errors
from fooling.files import json_bytes, refuse_foreign, replacing
from fooling.present.gallery import csp_hash
from fooling.present.transfer.figures import matrix
from fooling.present.web.bundle import bundle
from fooling.store.elites import SMALL, encode
from fooling.studies.transfer.result import KIND, Result
from fooling.text import all_plain, encoded

DATA, FIGURE, PAGE = "transfer.json", "matrix.png", "transfer.html"
THUMB = 112  # pixels at most: the page shows many; the images themselves are in the run directories
_TEMPLATES = Path(__file__).with_name("templates")


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
    with naming_write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            with replacing(folder / name) as file:
                file.write(content)
    return [folder / name for name in contents]


def page(result: Result) -> str:
    """The HTML page: the matrix, and every image with what each target says of it."""
    style = (_TEMPLATES / "transfer.css").read_text(encoding="utf-8")
    script = bundle("format.js") + (_TEMPLATES / "transfer.js").read_text(encoding="utf-8")
    images = []
    for elite in result.images:
        run = result.snapshots[elite.source]
        pixels = _thumb(run.stored_pixels[run.stored_rows[elite.number]])
        images.append(base64.b64encode(encode(pixels, level=SMALL)).decode("ascii"))
    environment = Environment(
        loader=PackageLoader("fooling.present.transfer"), autoescape=True, trim_blocks=True
    )
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    return environment.get_template("transfer.html.j2").render(
        data=all_plain(_compact(result)),
        images=images,
        style=Markup(style),
        script=Markup(script),
        style_hash=csp_hash(style),
        script_hash=csp_hash(script),
    )


def _compact(result: Result) -> dict[str, Any]:
    """What the page's script is given; `templates/transfer.js` says what it makes of it."""
    sources = {source: number for number, source in enumerate(result.sources)}
    targets = {target: number for number, target in enumerate(result.targets)}
    return {
        "targets": result.targets,
        "sources": list(result.names.values()),
        "cells": [
            {
                "source": sources[cell.source],
                "target": targets[cell.target],
                "home": cell.at_home,
                "images": cell.images,
                "share": cell.same_top1,
                "interval": cell.same_top1_ci95,
                "median": _single(cell.median_confidence),
            }
            for cell in result.cells
        ],
        "images": [
            {
                "source": sources[elite.source],
                "label": elite.label,
                "class": elite.number,
                "confidence": _single(elite.confidence),
                "answers": [
                    [
                        targets[answer.target],
                        answer.rank,
                        _single(answer.confidence),
                        answer.top1,
                        _single(answer.top1_confidence),
                    ]
                    for answer in elite.targets
                ],
            }
            for elite in result.images
        ],
    }


def _single(confidence: float | None) -> float | None:
    """As the page's script words it: with the digits that tell a float32."""
    return None if confidence is None else shortest(confidence)


def _thumb(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width, channels = pixels.shape
    if (longer := max(height, width)) <= THUMB:
        return pixels
    image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
    size = max(1, round(width * THUMB / longer)), max(1, round(height * THUMB / longer))
    small = np.asarray(image.resize(size, Image.Resampling.LANCZOS))
    return small[..., None] if small.ndim == 2 else small
