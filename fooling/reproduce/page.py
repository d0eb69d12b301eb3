"""The results as one page in Markdown with pictures: what the paper found, what was found here, and a verdict."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from PIL import Image

from fooling.files import json_bytes
from fooling.reproduce.catalogue import UNVERIFIED
from fooling.reproduce.session import FIGURES, Done
from fooling.reproduce.workspace import Workspace
from fooling.text import encoded

PAGE, DATA = "paper.md", "paper.json"


def write(workspace: Workspace, done: Sequence[Done], command: str) -> list[Path]:
    """Write the page, its data and its pictures into `page/`.

    Args:
        command: what anyone would give to make it.

    Returns:
        The page and its data.
    """
    data = document(workspace, done, command)
    contents = {PAGE: encoded(markdown(data)), DATA: json_bytes(data)}
    for one in done:
        for figure in one.result.figures:
            name = f"{one.experiment.name}-{figure.name}"
            picture = (workspace.folder / FIGURES / f"{name}.png").read_bytes()
            contents[f"{name}.webp"] = _webp(picture)
    for name, content in contents.items():
        workspace.store.write(f"page/{name}", content)
    return [workspace.folder / "page" / name for name in (PAGE, DATA)]


def document(workspace: Workspace, done: Sequence[Done], command: str) -> dict[str, Any]:
    """The results as JSON-like data: what `fooling reproduce --json` prints."""
    scale = workspace.scale
    return {
        "kind": "fooling reproduction",
        "format": 1,
        "command": command,
        "machine": machine(),
        "scale": {"quick": scale.quick, "seeds": scale.seeds, "generations": scale.generations},
        "experiments": [
            {
                "name": one.experiment.name,
                "title": one.experiment.title,
                "claim": one.experiment.claim,
                **one.result.to_dict(),
            }
            for one in done
        ],
    }


def machine() -> dict[str, Any]:
    """The machine and the versions that the last bits of results may depend on; the number of cores is not among them."""
    from fooling.classifiers.numerics import resolve
    from fooling.runs.underway import versions

    return {"device": resolve().device_model, **versions()}


def markdown(data: dict[str, Any]) -> str:
    """The page, which follows from the data alone."""
    pages = Environment(loader=PackageLoader("fooling.reproduce"))
    pages.filters["anchor"] = _anchor
    page = pages.get_template(f"{PAGE}.j2").render(**data, data=DATA, unverified=UNVERIFIED)
    return page.rstrip() + "\n"


def _anchor(title: str) -> str:
    """The anchor that GitHub gives a heading."""
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -")
    return kept.replace(" ", "-")


def _webp(picture: bytes) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGB").save(buffer, "WEBP", lossless=True, method=4)
    return buffer.getvalue()
