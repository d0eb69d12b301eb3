"""What a browser is given: templates, styles and scripts of the service's pages, which the static gallery shares.

Scripts are ES modules of one concern each; there is no build step. The service sends the files that `ASSETS` names and
no others, at addresses that hold a digest of all of them, so that a browser may keep them for ever.
"""

from __future__ import annotations

import hashlib
from functools import cache, lru_cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from fooling.confidence import format_confidence
from fooling.text import format_bytes, plain

HERE = Path(__file__).parent
# One name a line, in the order of the alphabet: people add to it at the same time.
ASSETS = (
    "api.js",
    "audit.css",
    "base.css",
    "blind.css",
    "blind.js",
    "bloodline.js",
    "breed.css",
    "breed.js",
    "card.js",
    "chart.js",
    "choices.js",
    "compare.css",
    "compare.js",
    "cppn_gl.js",
    "cppn_glsl.js",
    "cppn_graph.js",
    "cppn_program.js",
    "detail.js",
    "dom.js",
    "elite-answers.js",
    "elite-graph.js",
    "elite-network.js",
    "elite-query.js",
    "elite-stage.js",
    "elite-story.js",
    "elite-walk.js",
    "elite.css",
    "elite.js",
    "explain.css",
    "facets.js",
    "feed.js",
    "fields.js",
    "film.js",
    "format.js",
    "gallery.css",
    "gallery.js",
    "icon.svg",
    "jobs.js",
    "lattice.js",
    "live.js",
    "matrix.js",
    "messages.js",
    "model.js",
    "new.css",
    "new.js",
    "panel.js",
    "picker.js",
    "progress.js",
    "queue.js",
    "run-data.js",
    "run-head.js",
    "run.css",
    "run.js",
    "runs.css",
    "runs.js",
    "scale.js",
    "shell.js",
    "state.js",
    "strip.js",
    "studies.js",
    "study.css",
    "study.js",
    "tiles.js",
    "tokens.css",
    "transfer.css",
    "transfer.js",
    "truth.js",
    "wall.css",
    "wall.js",
)
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@cache
def content(name: str) -> bytes:
    """The bytes of an asset.

    Raises:
        KeyError: there is no such asset.
    """
    if name not in ASSETS:
        raise KeyError(name)
    return (HERE / name).read_bytes()


@lru_cache(maxsize=1)
def digest() -> str:
    """Twelve hexadecimal digits that change with any asset."""
    found = hashlib.sha256()
    for name in ASSETS:
        found.update(f"{name} {len(content(name))}\n".encode() + content(name))
    return found.hexdigest()[:12]


def address(name: str) -> str:
    """Where the service sends an asset.

    Raises:
        KeyError: there is no such asset.
    """
    content(name)
    return f"/assets/{digest()}/{name}"


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates. Whatever they show is escaped; a name that they are not given is an error."""
    made = Environment(
        loader=PackageLoader("fooling.present.web"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    made.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    made.globals["asset"] = address
    made.filters |= {
        "plain": plain,
        "bytes": format_bytes,
        "count": "{:,}".format,
        "confidence": format_confidence,
        "p_value": _p_value,
    }
    return made


def _p_value(value: float | None) -> str:
    """A p-value as it is written everywhere; a dash where there is nothing to test."""
    from fooling.studies.rank_tests import format_p

    return "–" if value is None else format_p(value)
