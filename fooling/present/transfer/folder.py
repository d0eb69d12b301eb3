"""A transfer matrix as a folder: the data, the heat map, and a page that shows which images fool whom."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from fooling.confidence import shortest
from fooling.errors import FoolingError
from fooling.files import json_bytes, refuse_foreign, replacing
from fooling.present.gallery import FORMAT, csp_hash
from fooling.present.transfer.figures import heat_map
from fooling.store.elites import SMALL, encode
from fooling.studies.transfer.document import KIND
from fooling.studies.transfer.measure import Source
from fooling.text import all_plain, encoded

DATA, FIGURE, PAGE = "transfer.json", "matrix.png", "transfer.html"
THUMB = 112  # pixels at most: the page shows many; the images themselves are in the run directories
_TEMPLATES = Path(__file__).with_name("templates")


def write(data: dict[str, Any], sources: Sequence[Source], folder: Path, force: bool = False) -> list[Path]:
    """Write a transfer document and what shows it, in place of an older one; by `force`, in any folder.

    Returns:
        The files.

    Raises:
        FoolingError: the folder is something else, or can't be written.
    """
    refuse_foreign(folder, DATA, KIND, force)
    names = {str(source.view.directory): source.name for source in sources}
    contents = {
        DATA: json_bytes(data),
        FIGURE: heat_map(data, names),
        PAGE: encoded(page(data, sources, names)),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            with replacing(folder / name) as file:
                file.write(content)
    except OSError as error:
        raise FoolingError(f"can't write {folder}: {error.strerror or error}") from None
    return [folder / name for name in contents]


def page(data: Mapping[str, Any], sources: Sequence[Source], names: Mapping[str, str]) -> str:
    """The HTML page: the matrix, and every image with what each target says of it."""
    style = (_TEMPLATES / "transfer.css").read_text(encoding="utf-8")
    script = "\n".join(path.read_text(encoding="utf-8") for path in (FORMAT, _TEMPLATES / "transfer.js"))
    images = [
        base64.b64encode(encode(_thumb(pixels), level=SMALL)).decode("ascii")
        for source in sources
        for pixels in source.pixels
    ]
    environment = Environment(
        loader=PackageLoader("fooling.present.transfer"), autoescape=True, trim_blocks=True
    )
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    return environment.get_template("transfer.html.j2").render(
        data=all_plain(_compact(data, names)),
        images=images,
        style=Markup(style),
        script=Markup(script),
        style_hash=csp_hash(style),
        script_hash=csp_hash(script),
    )


def _compact(data: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """What the page's script is given; `templates/transfer.js` says what it makes of it."""
    targets = {target: number for number, target in enumerate(data["targets"])}
    return {
        "targets": data["targets"],
        "sources": [names[source] for source in data["sources"]],
        "cells": [
            {
                "source": data["sources"].index(cell["source"]),
                "target": targets[cell["target"]],
                "home": cell["source_model"] == cell["target"],
                "images": cell["images"],
                "share": cell["same_top1"],
                "interval": cell["same_top1_ci95"],
                "median": _single(cell["median_confidence"]),
            }
            for cell in data["cells"]
        ],
        "images": [
            {
                "source": data["sources"].index(image["source"]),
                "label": image["label"],
                "class": image["class"],
                "confidence": _single(image["confidence"]),
                "answers": [
                    [
                        targets[a["target"]],
                        a["rank"],
                        _single(a["confidence"]),
                        a["top1"],
                        _single(a["top1_confidence"]),
                    ]
                    for a in image["targets"]
                ],
            }
            for image in data["images"]
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
