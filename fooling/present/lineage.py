"""The ancestors of an elite as one HTML file: a strip of images from the first generation to it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader

from fooling.confidence import format_confidence
from fooling.store.elites import SMALL, encode
from fooling.studies.lineage.replay import Replayed
from fooling.text import all_plain


def page(data: Mapping[str, Any], replayed: Replayed) -> str:
    """The page, which fetches nothing and runs no script."""
    data = all_plain(data)
    shown = [
        {
            **ancestor,
            "image": base64.b64encode(encode(replayed.pixels[row], level=SMALL)).decode("ascii"),
            "pixelated": max(replayed.pixels.shape[1:3]) < 120,
        }
        for row, ancestor in enumerate(data["ancestors"])
    ]
    environment = Environment(loader=PackageLoader("fooling.present"), autoescape=True, trim_blocks=True)
    environment.filters["confidence"] = format_confidence
    return environment.get_template("lineage.html.j2").render(
        data=data,
        line=[ancestor for ancestor in shown if ancestor["line"]],
        mates=[ancestor for ancestor in shown if not ancestor["line"]],
    )
